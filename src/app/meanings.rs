//! What each figure of `/metrics` means, in the words that a scraper shows beside it (`# HELP`).

/// By name. Counters end in `_total`.
const MEANINGS: &[(&str, &str)] = &[
    ("cordboard_alarm_steps_total", "Supervisors told of alarms that nobody had acknowledged, by means and result"),
    ("cordboard_alarms_acknowledged_total", "Acknowledgments of alarms"),
    ("cordboard_alarms_total", "Alarms raised on desks, by part"),
    ("cordboard_attempts_interrupted_total", "Attempts to reach a contact that a crash or stop cut short"),
    ("cordboard_audit_altered_total", "Rows of the audit log that no longer match their own seal"),
    ("cordboard_audit_broken_total", "Looks at the audit log that found its chain broken"),
    ("cordboard_audit_refused_total", "Reads refused because the audit log did not take them in time"),
    ("cordboard_browser_paths_total", "Other network paths looked for to operators' browsers"),
    ("cordboard_call_outs_total", "Calls made for dispatches by machine, by outcome"),
    ("cordboard_call_panics_total", "Calls ended by a fault of ours"),
    ("cordboard_call_record_lost_total", "Lines of call records that could not be kept"),
    ("cordboard_callbacks_ended_total", "Callers who were promised to be called back and are done with, by outcome"),
    ("cordboard_callbacks_promised_total", "Callers who were promised to be called back"),
    ("cordboard_calls_by_memory_total", "Calls taken by what was known of the account, as the store did not answer"),
    ("cordboard_calls_ended_total", "Calls that are over, by outcome"),
    ("cordboard_calls_out_refused_total", "Calls out that were not placed, by reason"),
    ("cordboard_calls_total", "Calls in that were taken for an account"),
    ("cordboard_calls_unknown_did_total", "Calls in for a number that belongs to no account"),
    ("cordboard_connections_refused_total", "Connections that there was no room for"),
    ("cordboard_connections_turned_out_total", "Connections closed to make room for others'"),
    ("cordboard_contacts_rang_back_total", "Contacts who rang back about an open dispatch"),
    ("cordboard_deliveries_total", "Messages handed to a channel, by channel and result"),
    ("cordboard_desk_phones", "Desk phones that may register (`cordboard phone add`)"),
    ("cordboard_desk_phones_registered", "Desk phones that are registered now"),
    ("cordboard_dialled_out_total", "Calls that operators dialled by themselves"),
    ("cordboard_dictations_total", "Greetings spoken in by telephone"),
    ("cordboard_dispatch_decisions_total", "Events that dispatches decided on, by event"),
    ("cordboard_dispatch_panics_total", "Dispatches that a fault of ours stopped, to be tried again"),
    ("cordboard_dispatch_repairs_total", "Open dispatches that had nothing to wake them, and were given it"),
    ("cordboard_faxes_total", "Calls for faxes, by outcome"),
    ("cordboard_feed_lagged_total", "Consoles that fell behind the feed and got a fresh picture"),
    ("cordboard_held_messages_read_total", "Held messages read out at check-in or by an operator"),
    ("cordboard_hooks_refused_total", "Provider callbacks that did not prove who they came from"),
    ("cordboard_http_panics_total", "Requests ended by a fault of ours"),
    ("cordboard_http_requests_total", "Requests, by route and status"),
    ("cordboard_http_seconds", "How long requests took, by route"),
    ("cordboard_inner_calls_total", "Calls between operators' telephones, by outcome"),
    ("cordboard_jobs_done_total", "Calls made by operators for dispatches, by outcome"),
    ("cordboard_jobs_offered_total", "Calls for dispatches put on desks"),
    ("cordboard_lane_oldest_ms", "How long what waits to leave has waited at the most, by edge and lane"),
    ("cordboard_lane_waiting", "What waits for its turn to leave, by edge and lane"),
    ("cordboard_legs_dropped_total", "Legs ended because their call did not follow them"),
    ("cordboard_log_lines_left_out_total", "Lines left out of the log as their place in the program said too many"),
    ("cordboard_mail_in_total", "Mails that came in for addresses of ours, and those refused for others, by result"),
    ("cordboard_media_checks_total", "Checks of operators' phones, by whether they passed"),
    ("cordboard_media_events_dropped_total", "Events of audio that nobody took in time"),
    ("cordboard_media_tick_worst_ms", "The longest beat of a media thread since it was last looked at, by shard"),
    ("cordboard_media_ticks_late_total", "Beats of media threads that began late"),
    ("cordboard_media_ticks_skipped_total", "Beats of media threads left out to catch up"),
    ("cordboard_media_ticks_total", "Beats of media threads"),
    ("cordboard_menu_trials_total", "Menus tried out by editors"),
    ("cordboard_messages_saved_total", "Messages saved by operators"),
    ("cordboard_phones_silent_total", "Operators' phones that said nothing when they were rung"),
    ("cordboard_shift_notices_total", "Reminders of shifts and warnings of gaps, by result"),
    ("cordboard_recaps_total", "Emails of recaps, by result"),
    ("cordboard_recording_gap_ms_total", "Milliseconds of recordings that a slow or full disk did not take"),
    ("cordboard_recordings_total", "Recordings begun"),
    ("cordboard_recordings_unreadable_total", "Recordings that could not be read"),
    ("cordboard_register_guesses_total", "Wrong secrets of desk phones, by whether they were looked at"),
    ("cordboard_sign_in_failed_total", "Wrong passwords"),
    ("cordboard_sign_in_limited_total", "Sign-ins refused unlooked at, after too many wrong ones"),
    ("cordboard_sip_datagrams_unsent_total", "Datagrams that the system did not send, by why"),
    ("cordboard_sip_invites_dropped_total", "Calls in dropped unread, as others before them were not read yet"),
    ("cordboard_sip_panics_total", "SIP messages given up by a fault of ours, by side"),
    ("cordboard_sip_refused_total", "SIP requests refused, by side and status"),
    ("cordboard_sip_slow_connections_total", "SIP connections closed because their peer did not read"),
    ("cordboard_srtp_refused_total", "Encrypted packets that did not prove to be the peer's"),
    ("cordboard_status_greetings_total", "Status greetings put up by telephone"),
    ("cordboard_text_parts_total", "Parts of texts that providers took and will bill, by provider and coding"),
    ("cordboard_texts_passed_over_total", "Texts that a provider did not take, and the next one was tried"),
    ("cordboard_texts_unreadable_total", "Texts in that could not be read"),
    ("cordboard_tls_refresh_failed_total", "Certificates that had changed and could not be used"),
    ("cordboard_trunk_calls_total", "Calls over trunks, by direction and trunk (out: the one tried first)"),
    (
        "cordboard_trunk_calls_turned_away_total",
        "Calls in refused because all channels of their trunk were in use, by trunk",
    ),
    ("cordboard_trunk_failovers_total", "Calls out that were tried elsewhere, by the trunk that did not take them"),
    ("cordboard_trunk_legs", "Legs on trunks now"),
    ("cordboard_trunk_lookups_failed_total", "Names of carriers that could not be looked up, by trunk"),
    ("cordboard_trunk_pings_total", "Carriers asked whether they are there, by trunk"),
    ("cordboard_trunk_registered", "Whether we are registered with the carrier, by trunk"),
    (
        "cordboard_trunk_tries_failed_total",
        "Tries of calls out that failed, by trunk and class of status (none: silence, or 100 alone)",
    ),
    ("cordboard_trunk_up", "Whether the trunk answers pings and its host is known, by trunk"),
    ("cordboard_voicemails_saved_total", "Voicemails made into messages"),
    ("cordboard_watchdog_total", "What the watchdog found, by what"),
    ("cordboard_wrong_pins_total", "Wrong PINs at check-in"),
];

/// Tells the recorder.
pub(super) fn describe() {
    for (name, words) in MEANINGS {
        if name.ends_with("_total") {
            metrics::describe_counter!(*name, *words);
        } else if name.ends_with("_seconds") {
            metrics::describe_histogram!(*name, metrics::Unit::Seconds, *words);
        } else {
            metrics::describe_gauge!(*name, *words);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Names that the sources count by.
    fn counted(directory: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(directory).expect("the sources").flatten() {
            let path = entry.path();
            if path.is_dir() {
                counted(&path, names);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("app/meanings.rs") {
                let text = std::fs::read_to_string(&path).expect("text");
                for (at, _) in text.match_indices("!(") {
                    let is_figure = ["counter", "gauge", "histogram"].iter().any(|kind| text[..at].ends_with(kind));
                    let name = text[at + 2..].trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
                    names.extend(name.filter(|name| is_figure && name.starts_with("cordboard_")).map(str::to_owned));
                }
            }
        }
    }

    #[test]
    fn every_figure_is_explained_and_nothing_else_is() {
        let mut names = BTreeSet::new();
        counted(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut names);
        let explained: BTreeSet<String> = MEANINGS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert!(names.len() > 40, "{names:?}");
        assert_eq!(names, explained, "left: what the sources count; right: MEANINGS in src/app/meanings.rs");
    }

    #[test]
    fn a_scraper_is_told_what_a_figure_means() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            describe();
            metrics::gauge!("cordboard_trunk_legs").set(1);
        });
        let shown = recorder.handle().render();
        assert!(shown.contains("# HELP cordboard_trunk_legs Legs on trunks now"), "{shown}");
    }
}
