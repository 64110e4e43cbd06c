//! Letters with zeros between them: UTF-16 and UTF-32 inside of other bytes, in a program or in base64.

use super::{Finds, Rewriter};

/// Fewer letters in a row are numbers.
const FEWEST: usize = 8;

pub(super) fn find(text: &[u8], finds: &mut Finds<'_>) {
    let mut at = 0;
    while let Some(zero) = memchr::memchr(0, &text[at..]).map(|zero| at + zero) {
        let readings = [(zero.checked_sub(1), 4, 0), (zero.checked_sub(1), 2, 0), (Some(zero), 4, 3), (Some(zero), 2, 1)];
        let runs = readings.into_iter().filter_map(|(start, width, letter)| {
            let start = start.filter(|&start| start >= at)?;
            let end = run_end(text, start, width, letter);
            (end - start >= FEWEST * width).then_some(Run { start, end, width, letter })
        });
        let runs: Vec<Run> = runs.collect();
        let Some(end) = runs.iter().map(|run| run.end).max() else {
            // Of zeros in a row only the last ones can stand with a letter.
            at = zero + 1;
            at = at.max(super::skip(text, at, |b| b == 0).saturating_sub(4));
            continue;
        };
        // A letter before the first zero and one behind the last both have one: which is the neighbour's cannot be told.
        for run in runs.into_iter().filter(|run| run.end + run.width > end) {
            if !finds.wants(&(run.start..run.end)) {
                continue;
            }
            let mut rewriter = Rewriter::new(text, run.start);
            let mut utf8 = [0; 4];
            for from in (run.start..run.end).step_by(run.width) {
                let letter = char::from(text[from + run.letter]).encode_utf8(&mut utf8);
                rewriter.replace(from..from + run.width, letter.as_bytes());
            }
            finds.add(rewriter.finish(run.end, if run.width == 2 { "utf-16" } else { "utf-32" }));
        }
        at = end;
    }
}

/// Units of `width` bytes, of which one is the letter.
struct Run {
    start: usize,
    end: usize,
    width: usize,
    letter: usize,
}

fn run_end(text: &[u8], start: usize, width: usize, letter: usize) -> usize {
    let is_letter = |unit: &[u8]| {
        unit.iter().enumerate().all(|(at, &b)| if at == letter { matches!(b, 0x20..=0x7e | b'\t' | b'\r' | b'\n' | 0xa0..=0xff) } else { b == 0 })
    };
    start + text[start..].chunks_exact(width).take_while(|unit| is_letter(unit)).count() * width
}
