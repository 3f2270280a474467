//! Runs the scenarios and prints a table for each. `README.md` says how to read it.

use std::{env, net::SocketAddr, path::Path, process::Command, time::Duration};

use httplib2_bench::{
    BoxError,
    measure::{self, Effort, Times},
    origin::Origin,
    scenarios::{self, Contender, Scenario},
    series::{self, Length, Row, Series},
    streams::{self, Stream, Streamer, Taken},
};
use tempfile::TempDir;

/// Enough for figures that repeat.
const FULL: Effort = Effort {
    rounds: 1_000,
    time: Duration::from_secs(6),
    streams: 3,
    stream: 1_024,
    held_stream: 64,
    series: Length { validations: 5_000, entries: 100_000, openings: 100 },
};

/// Enough to see that every client gets the right answers.
const SMOKE: Effort = Effort {
    rounds: 1,
    time: Duration::from_secs(1),
    streams: 1,
    stream: 32,
    held_stream: 8,
    series: Length { validations: 50, entries: 500, openings: 5 },
};

const WORKER: &str = env!("CARGO_BIN_EXE_worker");

fn main() -> Result<(), BoxError> {
    let mut effort = FULL;
    let (mut wanted, mut series, mut streams) = (Vec::new(), Vec::new(), Vec::new());
    for argument in env::args().skip(1) {
        match &*argument {
            // Given by cargo.
            "--bench" => {}
            "--smoke" | "--test" => effort = SMOKE,
            name => match (series::named(name), streams::named(name)) {
                (Some(one), _) => series.push(one),
                (_, Some(stream)) => streams.push(stream),
                _ => wanted.push(scenarios::named(name)?),
            },
        }
    }
    if wanted.is_empty() && series.is_empty() && streams.is_empty() {
        wanted.extend(scenarios::ALL);
        series.extend(series::ALL);
        streams.extend(streams::ALL);
    }
    measure::stay_on_one_processor()?;
    let origin = Origin::start(Path::new(WORKER))?;
    for scenario in &wanted {
        let contenders = scenario.contenders(origin.address())?;
        let times = measure::times(scenario, &contenders, effort)?;
        print(scenario, &contenders, &times, &allocations(scenario, origin.address())?);
    }
    for one in &series {
        print_series(one, &measure::runtime()?.block_on(one.run(origin.address(), effort.series))?);
    }
    let (kept, passed): (Vec<_>, Vec<_>) = streams.into_iter().partition(Stream::is_kept);
    for stream in passed {
        read_streams(&[stream], &effort, origin.address(), &[stream])?;
    }
    if !kept.is_empty() {
        // Each is found where the one before left it, so all of them are read.
        let all: Vec<_> = streams::ALL.into_iter().filter(Stream::is_kept).collect();
        read_streams(&all, &effort, origin.address(), &kept)?;
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

fn print_series(series: &Series, rows: &[Row]) {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
    println!("\n{}: {}\n", series.name, series.about);
    print!("  {:width$}", "");
    series.columns.iter().for_each(|column| print!(" {column:>10}"));
    println!();
    for row in rows {
        print!("  {:width$}", row.name);
        row.figures.iter().for_each(|figure| print!(" {figure:>10.2}"));
        println!();
    }
}

fn print_stream(stream: &Stream, taken: &[Taken], effort: &Effort) {
    let width = stream.streamers().iter().map(|streamer| streamer.name.len()).max().unwrap_or_default();
    println!("\n{}: {}\n", stream.name, stream.about);
    println!("  {:width$} {:>6} {:>8} {:>6} {:>9} {:>6} {:>9}", "", "MiB", "MiB/s", "x", "CPU us/M", "x", "peak MiB");
    let mut floor = None;
    for (streamer, taken) in stream.streamers().iter().zip(taken) {
        let length = effort.stream_of(streamer);
        let (wall, cpu) = (taken.wall / length as f64, taken.cpu / length as f64);
        let floor = floor.get_or_insert((wall, cpu));
        println!(
            "  {:width$} {length:>6} {:>8.0} {:>6.2} {cpu:>9.1} {:>6.2} {:>9.1}",
            streamer.name,
            1e6 / wall,
            wall / floor.0,
            cpu / floor.1,
            taken.memory as f64 / 1024.0,
        );
    }
}

/// Reads streams of the same clients, and prints those that are wanted: the least time and the most memory of several
/// processes of each client, the clients in turn.
fn read_streams(streams: &[Stream], effort: &Effort, origin: SocketAddr, wanted: &[Stream]) -> Result<(), BoxError> {
    let none = Taken { wall: f64::INFINITY, cpu: f64::INFINITY, memory: 0 };
    let streamers = streams[0].streamers();
    let mut all = vec![vec![none; streamers.len()]; streams.len()];
    for _ in 0..effort.streams {
        for (index, streamer) in streamers.iter().enumerate() {
            let directory = TempDir::new()?;
            for (stream, all) in streams.iter().zip(&mut all) {
                let taken = read_stream(stream, streamer, origin, directory.path(), effort.stream_of(streamer))?;
                let all = &mut all[index];
                all.wall = all.wall.min(taken.wall);
                all.cpu = all.cpu.min(taken.cpu);
                all.memory = all.memory.max(taken.memory);
            }
        }
    }
    for (stream, taken) in streams.iter().zip(&all) {
        if wanted.iter().any(|wanted| wanted.name == stream.name) {
            print_stream(stream, taken, effort);
        }
    }
    Ok(())
}

/// In a process of its own.
fn read_stream(
    stream: &Stream,
    streamer: &Streamer,
    origin: SocketAddr,
    directory: &Path,
    length: u64,
) -> Result<Taken, BoxError> {
    let directory = directory.to_str().ok_or("the directory for temporary files has a name that is no text")?;
    let arguments = ["stream", stream.name, streamer.name, &origin.to_string(), directory, &length.to_string()];
    let output = Command::new(WORKER).args(arguments).output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}, {}: {why}", stream.name, streamer.name).into());
    }
    let said = String::from_utf8(output.stdout)?;
    let [wall, cpu, memory] = *said.split_whitespace().collect::<Vec<_>>() else { return Err(said.into()) };
    Ok(Taken { wall: wall.parse()?, cpu: cpu.parse()?, memory: memory.parse()? })
}
