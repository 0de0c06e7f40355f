//! What a beat and a packet that came are to the others: sound mixed or relayed, keys passed on.

use std::time::Instant;

use super::Shard;
use crate::io::media::MediaEvent;
use crate::io::media::keys::binds_event;
use crate::io::media::leg::{Heard, Leg};
use crate::proto::audio::frame::FRAME;
use crate::proto::rtp::packet::Header;
use crate::proto::rtp::telephone_event::Part;

impl Shard {
    pub(super) fn pump_leg(&mut self, now: Instant, i: usize, scratch: &mut [u8]) {
        let relay_to = self.plan.get(i).and_then(|hears| hears.relay_to);
        // The leg steps aside while its packets touch another.
        let (mut pressed, mut relayed) = ([None; 16], false);
        let (leg, mut other) = match relay_to {
            Some(to) if to != i => {
                let (low, high) = self.legs.split_at_mut(i.max(to));
                let (low, high): (&mut [Box<Leg>], &mut Leg) = (low, &mut high[0]);
                if to < i { (high, Some(&mut *low[to])) } else { (&mut *low[i], Some(high)) }
            }
            _ => (&mut *self.legs[i], None),
        };
        let id = leg.id;
        leg.receive(now, scratch, |leg: &mut Leg, header: &Header, payload: &[u8], heard: Heard| {
            if let Heard::Key(part @ Some(_)) = heard
                && let Some(free) = pressed.iter_mut().find(|p| p.is_none())
            {
                *free = part;
            }
            if let Some(other) = &mut other {
                relayed = true;
                if matches!(heard, Heard::Key(_)) && binds_event(leg.bound, payload) {
                    other.swallow(id, header);
                } else {
                    other.relay(id, header, payload, heard);
                }
            }
        });
        if relayed && let Some(other) = other {
            other.flush();
        }
        for part in pressed.into_iter().flatten() {
            if part.begun {
                self.tell(MediaEvent::Digit { leg: id, digit: part.key, at: now });
            }
            if relay_to.is_none() {
                self.pass_key_on(i, &part);
            }
        }
    }

    /// Whoever hears the leg gets its keys too, unless they are ours.
    fn pass_key_on(&mut self, i: usize, part: &Part) {
        if self.legs[i].bound.binds(part.key) {
            return;
        }
        for j in 0..self.legs.len() {
            if j != i && self.plan.get(j).is_some_and(|h| h.legs.contains(&i)) {
                self.legs[j].follow_key(part);
                // Whoever gets a key cannot be relayed to meanwhile.
                self.stale = true;
            }
        }
    }

    pub(super) fn pull(&mut self, now: Instant, i: usize) {
        let leg = &mut self.legs[i];
        let (frame, key, lost_end) = leg.pull();
        let id = leg.id;
        leg.take_down(&frame);
        let sound = leg.listen(&frame);
        self.frames[i] = frame;
        if let Some(sound) = sound {
            self.tell(MediaEvent::Sound { leg: id, sound });
        }
        if let Some(part) = lost_end
            && self.plan.get(i).is_some_and(|hears| hears.relay_to.is_none())
        {
            self.pass_key_on(i, &part);
        }
        if let Some(key) = key {
            // The tones themselves have been heard: telling is all that is left to do.
            self.tell(MediaEvent::Digit { leg: id, digit: key, at: now });
        }
    }

    pub(super) fn say(&mut self, i: usize) {
        let (leg, hears) = (&mut self.legs[i], &self.plan[i]);
        if hears.relayed {
            leg.pass();
            return;
        }
        if leg.is_pressing() {
            // When the last key is out the leg may be relayed again.
            self.stale = true;
        }
        let Some(codec) = leg.agreed.map(|a| a.codec) else { return };
        if let Some((sound, ended)) = leg.next_of_prompt() {
            leg.say(&sound);
            if let Some((play, prompt)) = ended {
                let leg = leg.id;
                self.stale = true;
                self.news.spend(Some(prompt));
                self.tell(MediaEvent::PlayDone { leg, play });
            }
            return;
        }
        let sound = match (hears.legs.is_empty(), hears.music, hears.ringback) {
            (true, false, false) => [codec.silence(); FRAME],
            (true, true, false) => leg.encoded_music(codec, &self.sounds.music),
            (true, false, true) => self.sounds.ringback.encoded_round(codec, leg.next_of_ringback()),
            _ => {
                self.mix.clear();
                for from in &hears.legs {
                    self.mix.add(&self.frames[*from]);
                }
                if hears.music {
                    self.mix.add(&leg.music(&self.sounds.music));
                }
                if hears.ringback {
                    self.mix.add(&self.sounds.ringback.frame_round(leg.next_of_ringback()));
                }
                leg.encode(codec, &self.mix.frame())
            }
        };
        leg.say(&sound);
    }
}
