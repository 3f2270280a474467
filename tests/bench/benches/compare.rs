//! Runs the scenarios and prints a table for each. `README.md` says how to read it.

use std::{env, net::SocketAddr, path::Path, process::Command, time::Duration};

use httplib2_bench::{
    BoxError,
    measure::{self, Effort, Times},
    origin::Origin,
    scenarios::{self, Contender, Scenario},
    streams::{self, STREAMERS, Stream, Streamer, Taken},
};

/// Enough for figures that repeat.
const FULL: Effort = Effort { rounds: 1_000, time: Duration::from_secs(6), streams: 3, stream: 1_024, held_stream: 64 };

/// Enough to see that every client gets the right answers.
const SMOKE: Effort = Effort { rounds: 1, time: Duration::from_secs(1), streams: 1, stream: 32, held_stream: 8 };

const WORKER: &str = env!("CARGO_BIN_EXE_worker");

fn main() -> Result<(), BoxError> {
    let mut effort = FULL;
    let (mut wanted, mut streams) = (Vec::new(), Vec::new());
    for argument in env::args().skip(1) {
        match &*argument {
            // Given by cargo.
            "--bench" => {}
            "--smoke" | "--test" => effort = SMOKE,
            name => match streams::named(name) {
                Some(stream) => streams.push(stream),
                None => wanted.push(scenarios::named(name)?),
            },
        }
    }
    if wanted.is_empty() && streams.is_empty() {
        wanted.extend(scenarios::ALL);
        streams.extend(streams::ALL);
    }
    measure::stay_on_one_processor()?;
    let origin = Origin::start(Path::new(WORKER))?;
    for scenario in &wanted {
        let contenders = scenario.contenders(origin.address())?;
        let times = measure::times(scenario, &contenders, effort)?;
        print(scenario, &contenders, &times, &allocations(scenario, origin.address())?);
    }
    let lengths = STREAMERS.map(|streamer| if streamer.holds_all { effort.held_stream } else { effort.stream });
    for stream in &streams {
        let taken = read_streams(stream, effort.streams, origin.address(), &lengths)?;
        print_stream(stream, &taken, &lengths);
    }
    Ok(())
}

/// Allocations per request, by a program that counts them: counting would cost time here.
fn allocations(scenario: &Scenario, origin: SocketAddr) -> Result<Vec<f64>, BoxError> {
    let output = Command::new(env!("CARGO_BIN_EXE_counter")).args([scenario.name, &origin.to_string()]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let counts = String::from_utf8(output.stdout)?;
    counts.lines().map(|count| count.parse().map_err(BoxError::from)).collect()
}

fn print(scenario: &Scenario, contenders: &[Contender], times: &[Times], allocations: &[f64]) {
    let width = contenders.iter().map(|contender| contender.name.len()).max().unwrap_or_default();
    println!("\n{}: {}\n", scenario.name, scenario.about);
    println!("  {:width$} {:>9} {:>6} {:>9} {:>6} {:>8} {:>7}", "", "wall us", "x", "CPU us", "x", "allocs", "+");
    for (index, (contender, time)) in contenders.iter().zip(times).enumerate() {
        let (floor, least) = (times[0], allocations[0]);
        println!(
            "  {:width$} {:>9.2} {:>6.2} {:>9.2} {:>6.2} {:>8.1} {:>+7.1}",
            contender.name,
            time.wall,
            time.wall / floor.wall,
            time.cpu,
            time.cpu / floor.cpu,
            allocations[index],
            allocations[index] - least,
        );
    }
}

fn print_stream(stream: &Stream, taken: &[Taken], lengths: &[u64]) {
    let width = STREAMERS.iter().map(|streamer| streamer.name.len()).max().unwrap_or_default();
    println!("\n{}: {}\n", stream.name, stream.about);
    println!("  {:width$} {:>6} {:>8} {:>6} {:>9} {:>6} {:>9}", "", "MiB", "MiB/s", "x", "CPU us/M", "x", "peak MiB");
    let each = |index: usize| {
        let length = lengths[index] as f64;
        (taken[index].wall / length, taken[index].cpu / length)
    };
    let floor = each(0);
    for (index, streamer) in STREAMERS.iter().enumerate() {
        let (wall, cpu) = each(index);
        println!(
            "  {:width$} {:>6} {:>8.0} {:>6.2} {cpu:>9.1} {:>6.2} {:>9.1}",
            streamer.name,
            lengths[index],
            1e6 / wall,
            wall / floor.0,
            cpu / floor.1,
            taken[index].memory as f64 / 1024.0,
        );
    }
}

/// The least time and the most memory of several processes of each client, the clients in turn.
fn read_streams(stream: &Stream, times: usize, origin: SocketAddr, lengths: &[u64]) -> Result<Vec<Taken>, BoxError> {
    let mut all = vec![Taken { wall: f64::INFINITY, cpu: f64::INFINITY, memory: 0 }; STREAMERS.len()];
    for _ in 0..times {
        for ((streamer, length), all) in STREAMERS.iter().zip(lengths).zip(&mut all) {
            let taken = read_stream(stream, streamer, origin, *length)?;
            all.wall = all.wall.min(taken.wall);
            all.cpu = all.cpu.min(taken.cpu);
            all.memory = all.memory.max(taken.memory);
        }
    }
    Ok(all)
}

/// In a process of its own.
fn read_stream(stream: &Stream, streamer: &Streamer, origin: SocketAddr, length: u64) -> Result<Taken, BoxError> {
    let arguments = ["stream", stream.name, streamer.name, &origin.to_string(), &length.to_string()];
    let output = Command::new(WORKER).args(arguments).output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}, {}: {why}", stream.name, streamer.name).into());
    }
    let said = String::from_utf8(output.stdout)?;
    let [wall, cpu, memory] = *said.split_whitespace().collect::<Vec<_>>() else { return Err(said.into()) };
    Ok(Taken { wall: wall.parse()?, cpu: cpu.parse()?, memory: memory.parse()? })
}
