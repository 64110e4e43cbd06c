//! What do hostile texts cost? `cargo bench --bench hostile [-- PART-OF-A-SHAPE]`
//!
//! Each shape is scanned under each path at a quarter of the size and at the whole, all of it new and every second stretch of it.
//! It fails where a byte of the whole costs
//! more than three times a byte of the quarter, or more than is promised. Time is that of the processor, so that what else
//! the machine does counts for little.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a benchmark tells what it measures, and fails")]

mod shapes;

use leakstop::change::Part;
use leakstop::rules::Rules;
use leakstop::scan::{Scanner, Text};

/// A byte of any text costs at most this much. Dearest are texts of nothing but short bindings (`key='`), each of which is
/// weighed; all others stay below 300.
const NANOSECONDS_A_BYTE: f64 = 2000.0;
/// About a line.
const STRETCH: usize = 30;
/// A byte of a larger text costs at most so many times as much.
const FLAT: f64 = 3.0;

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let size = std::env::var("SIZE").map_or(1 << 20, |size| size.parse().unwrap());
    let rules = Rules::built_in().unwrap();
    let scanner = Scanner::new(&rules);
    let mut bad = 0;
    for (name, make) in shapes::shapes() {
        if !chosen.is_empty() && !chosen.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let (small, large) = (make(size / 4), make(size));
        for (path, stretches) in shapes::PATHS.iter().flat_map(|path| [(path, false), (path, true)]) {
            // Rules that hit are compiled before the clock runs.
            cost(&scanner, path, &small[..small.len().min(4096)], stretches);
            let measure = |text: &[u8]| cost(&scanner, path, text, stretches) / text.len() as f64;
            let (mut first, mut second) = (measure(&small), measure(&large));
            if second > first * FLAT || second > NANOSECONDS_A_BYTE && !name.contains("zipped") {
                (first, second) = (first.max(measure(&small)), second.min(measure(&large)));
            }
            let steep = second > first * FLAT && second > 20.0;
            // A byte of what is packed stands for many: of those only the growth counts.
            let dear = second > NANOSECONDS_A_BYTE && !name.contains("zipped");
            bad += usize::from(steep || dear);
            let word = if steep {
                "STEEP"
            } else if dear {
                "DEAR"
            } else {
                ""
            };
            if !word.is_empty() || !chosen.is_empty() {
                let new = if stretches { "stretches" } else { "all" };
                println!("{word:6}{first:10.1} {second:10.1} ns a byte  {path:12} {new:10} {name:?}");
            }
        }
    }
    assert_eq!(bad, 0, "shapes that cost too much");
}

/// What it costs to scan all of it, or stretches that are new.
fn cost(scanner: &Scanner<'_>, path: &str, bytes: &[u8], stretches: bool) -> f64 {
    let parts: Vec<_> = if stretches {
        (0..bytes.len() / (2 * STRETCH)).map(|at| at * 2 * STRETCH..(at * 2 + 1) * STRETCH).collect()
    } else {
        std::iter::once(0..bytes.len()).collect()
    };
    let before = processor_time();
    scanner.scan_new(Text { path: path.as_bytes(), part: Part::Content, bytes }, &parts).unwrap();
    (processor_time() - before) as f64
}

/// Nanoseconds that this thread ran, as Linux counts them.
fn processor_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}
