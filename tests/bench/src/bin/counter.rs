//! Counts allocations per request: `counter SCENARIO ADDRESS-OF-THE-ORIGIN` prints a line for each client.

use std::env;

use dhat::{HeapStats, Profiler};
use httplib2_bench::{BoxError, measure, scenarios};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [scenario, origin] = &*arguments else { return Err("counter SCENARIO ADDRESS".into()) };
    let scenario = scenarios::named(scenario)?;
    let _profiler = Profiler::builder().testing().build();
    for count in measure::counts(&scenario, origin.parse()?, || HeapStats::get().total_blocks)? {
        println!("{count}");
    }
    Ok(())
}
