//! The client portal: what clients see and change of their own accounts, behind one door ([`guard`]). Everything here is below
//! `/api/v1/portal`, and opens to clients alone; nothing else opens to them.
//!
//! What always holds: each route names its account (but for `home`, and their own `password`), and an account that is not theirs, or
//! anything of one, answers as if it were not there; what is shown of a message is on the audit log before the answer leaves; what they change goes the way that the service's own
//! changes go (`engine/clients`), in their name.

pub mod contacts;
pub mod going_live;
pub mod greetings;
pub mod guard;
pub mod home;
pub mod message;
pub mod messages;
pub mod morning;
pub mod password;
pub mod protocols;
pub mod report;
pub mod schedule_files;
pub mod schedules;
pub mod settings;
pub mod verification;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::Front;

/// Its routes.
pub(super) fn list() -> OpenApiRouter<Front> {
    OpenApiRouter::new()
        .routes(routes!(home::show))
        .routes(routes!(password::change))
        .routes(routes!(messages::list))
        .routes(routes!(message::show))
        .routes(routes!(message::listen))
        .routes(routes!(morning::show))
        .routes(routes!(contacts::list, contacts::add))
        .routes(routes!(contacts::show, contacts::change, contacts::remove))
        .routes(routes!(contacts::uses))
        .routes(routes!(contacts::set_pin, contacts::remove_pin))
        .routes(routes!(contacts::set_spoken_as))
        .routes(routes!(contacts::hear_spoken_as))
        .routes(routes!(verification::send))
        .routes(routes!(verification::say))
        .routes(routes!(settings::show))
        .routes(routes!(settings::set_holidays))
        .routes(routes!(settings::put_up_status, settings::take_down_status))
        .routes(routes!(settings::set_recap, settings::remove_recap))
        .routes(routes!(schedules::on_call))
        .routes(routes!(schedules::list))
        .routes(routes!(schedules::calendars))
        .routes(routes!(schedules::history))
        .routes(routes!(schedules::add_override))
        .routes(routes!(schedules::remove_override))
        .routes(routes!(schedules::swap))
        .routes(routes!(schedules::change_overrides))
        .routes(routes!(schedule_files::read_in))
        .routes(routes!(schedule_files::undo_import))
        .routes(routes!(schedule_files::list_feeds, schedule_files::add_feed))
        .routes(routes!(schedule_files::remove_feed))
        .routes(routes!(report::show))
        .routes(routes!(report::csv))
        .routes(routes!(protocols::list))
        .routes(routes!(protocols::check))
        .routes(routes!(protocols::simulate))
        .routes(routes!(protocols::changes, protocols::propose))
        .routes(routes!(protocols::change))
        .routes(routes!(protocols::withdraw))
        .routes(routes!(going_live::show))
        .routes(routes!(going_live::approve))
        .routes(routes!(greetings::list))
        .routes(routes!(greetings::listen))
}
