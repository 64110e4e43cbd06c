//! On which line and in which column does a place stand?

/// Counts lines up to a place, forwards only.
#[derive(Clone)]
pub(super) struct Cursor {
    at: usize,
    line: u32,
    line_start: usize,
}

impl Default for Cursor {
    fn default() -> Self {
        Self { at: 0, line: 1, line_start: 0 }
    }
}

impl Cursor {
    pub(super) fn advance(&mut self, text: &[u8], to: usize) -> (u32, u32) {
        for newline in memchr::memchr_iter(b'\n', &text[self.at..to]) {
            self.line = self.line.saturating_add(1);
            self.line_start = self.at + newline + 1;
        }
        self.at = to;
        (self.line, u32::try_from(to - self.line_start).unwrap_or(u32::MAX - 1) + 1)
    }
}
