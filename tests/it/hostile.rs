//! No text costs more than its length: each hostile shape at four times the length costs at most three times four times as
//! much. `cargo bench --bench hostile` measures more of them, larger and to the nanosecond.

use leakstop::change::Part;
use leakstop::rules::Rules;
use leakstop::scan::{Scanner, Text};

#[path = "../bench/shapes.rs"]
mod shapes;

const SIZE: usize = 6 << 10;
/// The clock ticks every few milliseconds, and what is measured may be less.
const TICKS: f64 = 0.06;

#[test]
fn four_times_the_text_costs_four_times_as_much() {
    let rules = Rules::built_in().unwrap();
    let scanner = Scanner::new(&rules);
    for (name, make) in shapes::shapes() {
        let (small, large) = (make(SIZE), make(4 * SIZE));
        for path in shapes::PATHS.iter().take(4) {
            let cost = |bytes: &[u8]| {
                let before = processor_seconds();
                scanner.scan(Text { path: path.as_bytes(), part: Part::Content, bytes }).unwrap();
                processor_seconds() - before
            };
            cost(&small); // what is made once is made now
            // A neighbour may take the processor's memory away for a moment: once steep is not yet steep.
            let mut told = Vec::new();
            let flat = (0..4).any(|_| {
                let (one, four) = (cost(&small), cost(&large));
                told.push((one, four));
                four <= one * 12.0 + TICKS
            });
            assert!(flat, "{name:?} as {path}: {told:?} seconds");
        }
    }
}

/// Seconds that this thread ran, as Linux counts them.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}
