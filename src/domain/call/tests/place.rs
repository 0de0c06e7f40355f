//! What a waiting caller is told of their place.

use super::*;

const SECOND: Place = Place { position: 2, minutes: Some(3) };

fn says(outputs: &[Output]) -> Option<String> {
    outputs.iter().find_map(|output| match output {
        Output::Play { leg: CALLER, speech: Speech::Spoken { text }, .. } => Some(text.clone()),
        _ => None,
    })
}

fn told(line: &Line) -> bool {
    line.recorded(&RecordEvent::PlaceTold { position: 2, minutes: Some(3) })
}

#[test]
fn the_place_is_said_after_the_comfort_message() {
    let mut line = Line::queued();
    assert_eq!(says(&line.tell(Input::Comfort)).as_deref(), Some("comfort"));
    assert_eq!(says(&line.tell(Input::Place(SECOND))), None, "not over other words");
    assert!(!told(&line));
    assert_eq!(says(&line.hears_to_end()), Some(SECOND.words()));
    assert!(told(&line));
    assert_eq!(says(&line.hears_to_end()), None, "once");
}

#[test]
fn a_place_that_comes_while_one_is_said_is_not_said_after_it() {
    let mut line = Line::queued();
    line.tell(Input::Comfort);
    line.tell(Input::Place(SECOND));
    assert_eq!(says(&line.hears_to_end()), Some(SECOND.words()));
    // Both together are longer than from one comfort message to the next.
    assert_eq!(says(&line.tell(Input::Comfort)), None, "not over other words");
    line.tell(Input::Place(SECOND));
    assert_eq!(says(&line.hears_to_end()), None, "they have just heard it");
    // The next time it is theirs to hear again.
    assert_eq!(says(&line.tell(Input::Comfort)).as_deref(), Some("more comfort"));
    line.tell(Input::Place(SECOND));
    assert_eq!(says(&line.hears_to_end()), Some(SECOND.words()));
}

#[test]
fn an_operator_who_comes_up_saves_the_caller_the_rest() {
    let mut line = Line::queued();
    line.tell(Input::Comfort);
    line.tell(Input::Place(SECOND));
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    assert_eq!(says(&line.hears_to_end()), None, "a phone rings for them");
    line.leg(OPERATOR, LegInput::Answered);
    line.leg(OPERATOR, LegInput::MediaUp);
    assert_eq!(says(&line.tell(Input::Place(SECOND))), None);
    assert!(!told(&line));
}
