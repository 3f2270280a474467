//! One resource that is validated again and again: does a cache get slower?

use std::net::SocketAddr;

use rustix::time::ClockId;

use super::{Length, Row, Rows, Series};
use crate::{
    BoxError,
    clients::{Client, Conditional, Httplib2, HyperUtil, InDirectory, Target, cacache, disk, tiers},
    measure::micros,
    origin::cached::{self, Asked, Cacheable},
};

pub(super) const VALIDATED: Series = Series {
    name: "disk-304-flat",
    about: "1 KiB that is stored, validated 5,000 times: us for each of the first and of the last tenth",
    columns: &["first", "last", "x"],
    run: |origin, length| Box::pin(validated(origin, length)),
};

/// How long the content is.
const KIB: usize = 1024;

/// What is compared: so much of the beginning and of the end.
const PART: usize = 10;

async fn validated(origin: SocketAddr, length: Length) -> Rows {
    let (server, times) = (|| HyperUtil::default().0, length.validations);
    Ok(vec![
        row(origin, times, "hyper-util, with tag", Conditional::on(cached::content(KIB))).await?,
        row(origin, times, "DiskStore", InDirectory::new(|dir| disk(server(), dir))?).await?,
        row(origin, times, "Tiers", InDirectory::new(|dir| tiers(server(), dir))?).await?,
        row(origin, times, "httplib2", InDirectory::new(Httplib2::on_disk)?).await?,
        row(origin, times, "http-cache-tower", InDirectory::new(|dir| Ok(cacache(server(), dir)))?).await?,
    ])
}

async fn row(origin: SocketAddr, times: usize, name: &'static str, client: impl Client) -> Result<Row, BoxError> {
    let (content, part) = (cached::content(KIB), (times / PART).max(1));
    let path = format!("{}?flat-{}", cached::path(Cacheable::Validated, KIB), name.replace([' ', ','], "-"));
    let target = Target::new(format!("http://{origin}{path}"))?;
    let expect = async || {
        let (status, answered) = client.get(&target).await?;
        if status != 200 || answered != content {
            return Err(BoxError::from(format!("{name}: answered {status} with {} bytes", answered.len())));
        }
        Ok(())
    };
    // A connection, and something to validate.
    expect().await?;
    expect().await?;
    let before = cached::asked(origin, &path)?;
    let mut parts = Vec::new();
    for _ in 0..times / part {
        let start = micros(ClockId::Monotonic);
        for _ in 0..part {
            expect().await?;
        }
        parts.push((micros(ClockId::Monotonic) - start) / part as f64);
    }
    let expected = Asked { not_modified: before.not_modified + parts.len() * part, ..before };
    let asked = cached::asked(origin, &path)?;
    if asked != expected {
        return Err(format!("{name}: the origin was asked {asked:?}, not {expected:?}").into());
    }
    let (first, last) = (parts[0], parts[parts.len() - 1]);
    Ok(Row { name, figures: vec![first, last, last / first] })
}
