//! What the errors of hyper and hyper-util mean.

use std::{error::Error, io};

use httplib2_core::error::cause_ref;
use hyper_util::client::legacy;

use crate::{
    dial::DialError,
    error::{Diagnosis, Fault, Phase},
};

/// What it means that a request got no response. `whole` says whether its body was taken to the end.
pub(crate) fn diagnose(error: &legacy::Error, whole: bool) -> Diagnosis {
    if let Some(dial) = cause_ref::<DialError>(error) {
        let fault = if dial.timed_out { Fault::Timeout } else { Fault::Other };
        return Diagnosis { phase: dial.phase, fault, unprocessed: true };
    }
    // hyper-util names the connection in every error from when the request was given to one.
    if error.connect_info().is_none() {
        return Diagnosis { phase: Phase::Connect, fault: fault_of(error), unprocessed: true };
    }
    match cause_ref::<hyper::Error>(error) {
        Some(cause) => {
            let phase = if whole && !cause.is_canceled() { Phase::Receive } else { Phase::Send };
            Diagnosis { phase, fault: fault_of(cause), unprocessed: is_unprocessed(cause) }
        }
        // The version of HTTP that the request insists on is not the one of the connection.
        None => Diagnosis { phase: Phase::Send, fault: Fault::Other, unprocessed: true },
    }
}

/// What went wrong on a connection.
pub(crate) fn fault_of(error: &(dyn Error + 'static)) -> Fault {
    let Some(hyper) = cause_ref::<hyper::Error>(error) else { return Fault::Other };
    if hyper.is_timeout() {
        Fault::Timeout
    } else if hyper.is_body_write_aborted() {
        Fault::RequestBody
    } else if let Some(h2) = cause_ref::<h2::Error>(hyper) {
        fault_of_stream(h2)
    } else if hyper.is_parse() {
        Fault::Malformed
    } else if hyper.is_canceled() || hyper.is_closed() || hyper.is_incomplete_message() || hyper.is_user() {
        // The only other error of a user is that the runtime of the connection ended: the request body's
        // own are kept apart.
        Fault::Lost
    } else {
        cause_ref::<io::Error>(hyper).map_or(Fault::Other, fault_of_io)
    }
}

fn fault_of_stream(error: &h2::Error) -> Fault {
    if error.is_io() || error.is_go_away() && error.is_remote() {
        Fault::Lost
    } else if error.is_library() {
        Fault::Malformed
    } else {
        Fault::Reset
    }
}

/// hyper tells of broken framing in an `io::Error` as well.
fn fault_of_io(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Fault::Malformed,
        _ => Fault::Lost,
    }
}

/// Whether surely no server acted on a request that was given to a connection: hyper gave it back unwritten,
/// or the server says so (RFC 9113 §8.7).
fn is_unprocessed(error: &hyper::Error) -> bool {
    error.is_canceled()
        || cause_ref::<h2::Error>(error)
            .is_some_and(|h2| h2.is_remote() && (h2.is_go_away() || h2.reason() == Some(h2::Reason::REFUSED_STREAM)))
}
