//! Whatever ranges are asked for, whatever breaks off and however the resource changes: what comes is of one version.

mod common;

use std::sync::{Arc, Mutex};

use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use httplib2_cache::Served;
use httplib2_core::error::BoxError;
use httplib2_syntax::range::{self, ContentRange, Requested};
use httplib2_testing::{Body, Received, Reply, Server, reply, request};
use proptest::prelude::*;
use tower::ServiceExt;

use self::common::{GET, Site, executor, settle};

/// What happens to the next answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// It breaks off after so many bytes.
    Breaks(usize),
    /// It ends after so many bytes without a word.
    Ends(usize),
    /// All of it comes, whatever range was asked for.
    IgnoresRange,
    /// It is about so many bytes less than what was asked for.
    Shrinks(usize),
    /// It begins so many bytes later than what was asked for.
    Shifts(usize),
    /// Its `Content-Range` has another length than the resource has.
    Stretches,
    Status(u16),
    Disconnects,
}

#[derive(Clone, Debug)]
enum Step {
    /// GET with this range, or without one, and whether it insists on the origin.
    Get {
        range: Option<String>,
        insists: bool,
        reads: usize,
    },
    Change {
        length: usize,
    },
    Wait(u64),
    Next(Fault),
}

/// A resource that changes, behind an origin that knows ranges.
#[derive(Debug, Default)]
struct Resource {
    version: u8,
    length: usize,
    fault: Option<Fault>,
    tags: Tags,
}

/// The validators that it gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tags {
    #[default]
    Strong,
    Weak,
    None,
}

/// The content of a version: no byte of one occurs in another at the same place.
fn content(version: u8, length: usize) -> Vec<u8> {
    (0..length).map(|at| version.wrapping_mul(37).wrapping_add((at % 31) as u8)).collect()
}

impl Tags {
    fn of(self, version: u8) -> Option<String> {
        match self {
            Self::Strong => Some(format!("\"{version}\"")),
            Self::Weak => Some(format!("W/\"{version}\"")),
            Self::None => None,
        }
    }
}

impl Resource {
    fn answer(&mut self, asked: &HeaderMap) -> Reply {
        let fault = self.fault.take().unwrap_or(Fault::None);
        let all = content(self.version, self.length);
        let tag = self.tags.of(self.version);
        let value = |name| asked.get(name).map(http::HeaderValue::as_bytes);
        match fault {
            Fault::Status(status) => return reply(status).header("content-length", "0"),
            Fault::Disconnects => return Reply::failing(|| std::io::Error::other("gone")),
            _ => {}
        }
        let known = value(header::IF_NONE_MATCH).unwrap_or_default();
        if let Some(tag) = &tag
            && String::from_utf8_lossy(known).split(", ").any(|known| known == tag)
        {
            return reply(304).header("etag", tag);
        }
        let is_strong = self.tags == Tags::Strong;
        let is_this = value(header::IF_RANGE)
            .is_none_or(|known| is_strong && tag.as_ref().is_some_and(|tag| tag.as_bytes() == known));
        let wanted = match range::parse(value(header::RANGE)) {
            Requested::Bytes(ranges) if is_this && fault != Fault::IgnoresRange => {
                let mut wanted = ranges.within(all.len() as u64);
                match (wanted.next(), ranges.iter().count()) {
                    (None, _) => return reply(416).header("content-range", format!("bytes */{}", all.len())),
                    (one, 1) => one,
                    _ => None,
                }
            }
            _ => None,
        };
        let version = format!("{}-{}", self.version, self.length);
        let head = |status| {
            let reply = reply(status).header("cache-control", "max-age=60").header("x-version", version.as_str());
            tag.iter().fold(reply, |reply, tag| reply.header("etag", tag))
        };
        let (reply, data) = match wanted {
            None => (head(200).header("content-length", all.len().to_string()), all),
            Some(mut range) => {
                match fault {
                    Fault::Shrinks(less) => range.end = (range.end.saturating_sub(less as u64)).max(range.start + 1),
                    Fault::Shifts(more) => range.start = (range.start + more as u64).min(range.end - 1),
                    _ => {}
                }
                let complete = all.len() as u64 + u64::from(fault == Fault::Stretches);
                let data = all[range.start as usize..range.end as usize].to_vec();
                let reply = head(206).header("content-length", data.len().to_string());
                let range = ContentRange::Part { range, complete: Some(complete) }.to_string();
                (reply.header("content-range", range), data)
            }
        };
        let cut = |at: usize| Body::chunks(data[..at.min(data.len())].chunks(3).map(<[u8]>::to_vec));
        match fault {
            Fault::Breaks(at) => reply.body(cut(at)).breaking(),
            Fault::Ends(at) => reply.body(cut(at)),
            _ => reply.body(cut(usize::MAX)),
        }
    }
}

fn site(resource: &Arc<Mutex<Resource>>, in_background: bool) -> Site {
    let resource = Arc::clone(resource);
    let server = Server::answering(move |received: &Received, _| {
        resource.lock().expect("nobody panicked").answer(received.headers())
    });
    let site = Site::private(server);
    if in_background { site.with(|layer| layer.executor(executor())) } else { site }
}

/// What a response says that it holds. `None` if that is nothing of the resource.
fn claimed(status: StatusCode, headers: &HeaderMap) -> Option<Vec<u8>> {
    let (version, length) = headers.get("x-version")?.to_str().ok()?.split_once('-')?;
    let all = content(version.parse().ok()?, length.parse().ok()?);
    match status.as_u16() {
        200 => Some(all),
        206 => match range::content_range([headers.get(header::CONTENT_RANGE)?.as_bytes()])? {
            ContentRange::Part { range, .. } => Some(all[range.start as usize..range.end as usize].to_vec()),
            ContentRange::Unsatisfied { .. } => None,
        },
        _ => None,
    }
}

async fn get(site: &Site, step: &Step) -> Result<(), BoxError> {
    let Step::Get { range, insists, reads } = step else { return Ok(()) };
    let mut asking = request(GET);
    if let Some(range) = range {
        asking.headers_mut().insert(header::RANGE, range.parse()?);
    }
    if *insists {
        asking.headers_mut().insert(header::CACHE_CONTROL, "no-cache".parse()?);
    }
    let (head, mut body) = site.cache.clone().oneshot(asking).await?.into_parts();
    let Some(expected) = claimed(head.status, &head.headers) else {
        assert!(!matches!(head.status.as_u16(), 200 | 206), "{head:?}");
        return Ok(());
    };
    let length = head.headers[header::CONTENT_LENGTH].to_str()?.parse::<usize>()?;
    assert_eq!(length, expected.len(), "what is announced");
    let mut got = Vec::new();
    let mut is_ended = false;
    while !is_ended && got.len() / 3 < *reads {
        match body.frame().await {
            Some(frame) => got.extend_from_slice(&frame?.into_data().unwrap_or_default()),
            None => is_ended = true,
        }
        assert!(expected.starts_with(&got), "{got:?} is no beginning of {expected:?}");
    }
    let served = head.extensions.get::<Served>().expect("each response says where it comes from");
    // Only what comes from an origin that ends too early, without a word, is shorter than announced.
    assert!(!is_ended || got == expected || matches!(served, Served::Network { .. }), "{served}: {got:?}");
    Ok(())
}

fn ranges() -> impl Strategy<Value = Option<String>> {
    let one = prop_oneof![
        (0..20_usize, 0..20_usize).prop_map(|(from, length)| format!("{from}-{}", from + length)),
        (0..20_usize).prop_map(|from| format!("{from}-")),
        (0..20_usize).prop_map(|last| format!("-{last}")),
    ];
    prop::option::weighted(0.7, one.prop_map(|range| format!("bytes={range}")))
}

fn faults() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => (0..20_usize).prop_map(Fault::Breaks),
        2 => (0..20_usize).prop_map(Fault::Ends),
        1 => Just(Fault::IgnoresRange),
        1 => (1..5_usize).prop_map(Fault::Shrinks),
        1 => (1..5_usize).prop_map(Fault::Shifts),
        1 => Just(Fault::Stretches),
        1 => prop::sample::select(&[404, 416, 500, 503][..]).prop_map(Fault::Status),
        1 => Just(Fault::Disconnects),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let reads = prop_oneof![4 => Just(100_usize), 1 => 0..4_usize];
    let get = (ranges(), prop::bool::weighted(0.2), reads).prop_map(|(range, insists, reads)| Step::Get {
        range,
        insists,
        reads,
    });
    let step = prop_oneof![
        8 => get,
        1 => (1..20_usize).prop_map(|length| Step::Change { length }),
        1 => (1..100_u64).prop_map(Step::Wait),
        3 => faults().prop_map(Step::Next),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_comes_is_always_of_one_version(
        steps in steps(),
        in_background: bool,
        tags in prop::sample::select(&[Tags::Strong, Tags::Strong, Tags::Weak, Tags::None][..]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let resource = Arc::new(Mutex::new(Resource { version: 1, length: 12, fault: None, tags }));
            let site = site(&resource, in_background);
            for step in &steps {
                match step {
                    // An error is an answer too; what came before it was compared.
                    Step::Get { .. } => drop(get(&site, step).await),
                    Step::Change { length } => {
                        let mut resource = resource.lock().unwrap();
                        resource.version += 1;
                        resource.length = *length;
                    }
                    Step::Wait(seconds) => site.later(*seconds),
                    Step::Next(fault) => resource.lock().unwrap().fault = Some(*fault),
                }
                settle().await;
            }
        });
    }
}
