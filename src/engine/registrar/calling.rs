//! What desk phones ask for beside being registered: calls of their own, and transfers of the calls they have.
//!
//! A call has to come over the way that a registered desk phone came by, and prove by digest that it is that phone's;
//! everybody else got the short 403 before. Whom it may reach, and in whose name, is decided where calls are. A transfer
//! is heard in a dialog of a desk phone's alone. Driven by the registrar's loop.

use tokio::sync::mpsc;

use super::{Loop, Refused, Rung};
use crate::base::id::UserId;
use crate::base::phone::PhoneNumber;
use crate::domain::call::cause::Cause;
use crate::domain::operator::extension::Extension;
use crate::engine::signal::{Dialled, LEG_EVENT_DEPTH, LegEvent, PhoneCall};
use crate::engine::sip_side::status_of;
use crate::proto::sip::message::Uri;
use crate::proto::sip::{Command, DialogId, Flow, IncomingInvite, Replaces};

impl Loop {
    /// A desk phone calls. The command returned refuses it.
    pub(super) fn phone_calls(&mut self, dialog: DialogId, flow: Flow, invite: &IncomingInvite) -> Option<Command> {
        let refuse = |status, headers| Some(Command::Reject { dialog, status, headers });
        // An operator's phone takes nobody's place: what it transfers is put together here.
        let forbidden = refuse(403, Vec::new());
        let there = |b: &&super::Binding| b.device.is_some() && is_way(&b.flow, &flow);
        let Some((user, device, uri)) = self.bindings.iter().find_map(|(user, all)| {
            let binding = all.iter().rfind(there)?;
            Some((user.clone(), binding.device.clone(), binding.uri.clone()))
        }) else {
            return forbidden;
        };
        match self.proven(&flow, &invite.headers, "INVITE", Some(&invite.request_uri)) {
            Ok((_, known)) if Some(&known.id) == device.as_ref() && invite.replaces.is_none() => {}
            Ok(_) | Err(Refused::Forbidden) => return forbidden,
            Err(Refused::Challenged(challenges)) => return refuse(401, challenges),
        }
        let leg = self.numbers.fresh();
        let (events, received) = mpsc::channel(LEG_EVENT_DEPTH);
        let to = self.dialled(&invite.request_uri);
        let srtp = self.srtp_over(&flow);
        let (offer, peer) = (invite.offer.clone(), flow.peer.ip());
        let call = PhoneCall { leg, user: user.clone(), to, offer, srtp, peer, events: received };
        if self.calls.as_ref().is_none_or(|calls| calls.try_send(call).is_err()) {
            self.side.count_refusal(503);
            return refuse(503, vec![("Retry-After".to_owned(), "10".to_owned())]);
        }
        self.legs.add(leg, dialog, events);
        self.rung.insert(leg, Rung { user, device, uri });
        None
    }

    /// A phone wants its other party transferred. The command returned refuses it.
    pub(super) fn transfers(&mut self, dialog: DialogId, target: &Uri, replaces: Option<&Replaces>) -> Option<Command> {
        let refuse = |cause| Some(Command::RefuseRefer { dialog, status: status_of(cause) });
        let of = |leg| self.rung.get(&leg).filter(|rung| rung.device.is_some()).map(|rung| rung.user.clone());
        let Some(user) = self.legs.leg_of(dialog).and_then(of) else { return refuse(Cause::Forbidden) };
        let consulted = match replaces {
            Some(named) => {
                let other = self.side.agent.find_by_replaces(named).and_then(|dialog| self.legs.leg_of(dialog));
                // To a call that is not this phone's, nobody is transferred.
                let Some(other) = other.filter(|leg| of(*leg) == Some(user)) else { return refuse(Cause::WrongNumber) };
                Some(other)
            }
            None => None,
        };
        let to = self.dialled(target);
        self.legs.tell(dialog, LegEvent::Transfer { to, consulted })
    }

    /// Whom a URI means.
    fn dialled(&self, uri: &Uri) -> Dialled {
        let Some(text) = uri.number_plain() else { return Dialled::Unknown };
        // Before everything else, whatever somebody may be called.
        if let Some(help) = PhoneNumber::emergency(&text) {
            return Dialled::Number(help);
        }
        let devices = self.devices.borrow();
        let colleague = devices.iter().find(|(login, device)| device.is_dialled_by(login, &text));
        if let Some((_, device)) = colleague {
            return Dialled::Seat(device.owner.clone());
        }
        // As where an operator types it in; what becomes of it is decided where calls are.
        self.numbering.read(&text).map_or(Dialled::Unknown, Dialled::Number)
    }

    /// Who calls, as a colleague's phone shows it and calls back.
    pub(super) fn shown_as(&self, user: &UserId) -> String {
        let devices = self.devices.borrow();
        let own = devices.iter().filter(|(_, device)| device.owner == *user);
        // The one with an extension, if there is one: that is what a keypad can dial.
        let Some((_, device)) = own.max_by_key(|(login, device)| (device.extension.is_some(), *login)) else {
            return super::CALLER.to_owned();
        };
        let dials = device.extension.as_ref().map_or(device.owner_login.as_str(), Extension::as_str);
        let name: String = device.owner_name.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
        format!("\"{name}\" <sip:{dials}@cordboard.local>")
    }

    /// Lets the agent hear calls over the ways that registered desk phones came by, and no others.
    pub(super) fn hear_calls(&mut self) {
        let phones = self.bindings.values().flatten().filter(|b| b.device.is_some());
        let ways: Vec<Flow> = phones.map(|b| b.flow).collect();
        self.homes = ways.iter().map(|way| way.peer.ip()).collect();
        self.side.agent.hear_calls(ways);
    }
}

/// The same way: its connection, or over UDP its address.
fn is_way(one: &Flow, other: &Flow) -> bool {
    one.is_same_connection(other) && one.peer == other.peer
}
