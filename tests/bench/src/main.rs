//! The origin, and one client alone as a profiler wants it.
//!
//! ```text
//! worker origin                                answers until its standard input ends
//! worker list SCENARIO                         the names of its clients, the floor first
//! worker send SCENARIO CLIENT REQUESTS         sends requests of one client, with an origin of its own
//! worker stream STREAM CLIENT ADDRESS DIR MIB  has one client read a long answer, and prints what it took
//! ```

use std::{env, net::SocketAddr, path::Path};

use httplib2_bench::{
    BoxError, measure,
    origin::{self, Origin},
    scenarios, streams,
};

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        [origin::ORIGIN] => origin::serve(),
        ["list", scenario] => list(scenario),
        ["send", scenario, client, requests] => send(scenario, client, requests.parse()?),
        ["stream", name, client, origin, directory, length] => {
            stream(name, client, origin.parse()?, Path::new(directory), length.parse()?)
        }
        _ => {
            Err("worker origin | list SCENARIO | send SCENARIO CLIENT REQUESTS | stream STREAM CLIENT ADDRESS DIR MIB"
                .into())
        }
    }
}

fn list(scenario: &str) -> Result<(), BoxError> {
    for contender in scenarios::named(scenario)?.contenders(([127, 0, 0, 1], 80).into())? {
        println!("{}", contender.name);
    }
    Ok(())
}

fn send(scenario: &str, client: &str, requests: usize) -> Result<(), BoxError> {
    let origin = Origin::start_self()?;
    let scenario = scenarios::named(scenario)?;
    let contenders = scenario.contenders(origin.address())?;
    let contender = contenders.iter().find(|contender| contender.name == client).ok_or("there is no such client")?;
    let requests = scenario.round_up(requests);
    measure::runtime()?.block_on(async {
        scenario.prepare(contender).await?;
        scenario.send(contender, requests).await?;
        scenario.look_back(contender, requests).await
    })
}

fn stream(name: &str, client: &str, origin: SocketAddr, directory: &Path, length: u64) -> Result<(), BoxError> {
    let stream = streams::named(name).ok_or("there is no such stream")?;
    let taken = measure::runtime()?.block_on(stream.read(client, origin, directory, length << 20))?;
    println!("{} {} {}", taken.wall, taken.cpu, taken.memory);
    Ok(())
}
