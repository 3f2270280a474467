//! Runs the scenarios and prints a table for each. `README.md` says how to read it.

use std::{env, net::SocketAddr, path::Path, process::Command, time::Duration};

use httplib2_bench::{
    BoxError,
    measure::{self, Effort, Times},
    origin::Origin,
    scenarios::{self, Contender, Scenario},
};

/// Enough for figures that repeat.
const FULL: Effort = Effort { rounds: 1_000, time: Duration::from_secs(6) };

/// Enough to see that every client gets the right answers.
const SMOKE: Effort = Effort { rounds: 1, time: Duration::from_secs(1) };

fn main() -> Result<(), BoxError> {
    let mut effort = FULL;
    let mut wanted = Vec::new();
    for argument in env::args().skip(1) {
        match &*argument {
            // Given by cargo.
            "--bench" => {}
            "--smoke" | "--test" => effort = SMOKE,
            name => wanted.push(scenarios::named(name)?),
        }
    }
    if wanted.is_empty() {
        wanted.extend(scenarios::ALL);
    }
    measure::stay_on_one_processor()?;
    let origin = Origin::start(Path::new(env!("CARGO_BIN_EXE_worker")))?;
    for scenario in &wanted {
        let contenders = scenario.contenders(origin.address())?;
        let times = measure::times(scenario, &contenders, effort)?;
        print(scenario, &contenders, &times, &allocations(scenario, origin.address())?);
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
