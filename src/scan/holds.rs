//! Does a short text hold one of a few words? Names, values and paths are asked this for many words each, and a searcher made
//! for every question would cost more than the search.

/// From this length on a searcher pays.
const LONG: usize = 256;

const EMPTY: &[u8] = b"";

/// True when the text holds the word.
pub(super) fn holds(text: &[u8], word: &[u8]) -> bool {
    if text.len() >= LONG {
        return memchr::memmem::find(text, word).is_some();
    }
    let Some((first, rest)) = word.split_first() else { return true };
    let Some(last) = text.len().checked_sub(word.len()) else { return false };
    (0..=last).any(|at| text[at] == *first && text[at + 1..at + word.len()] == *rest)
}

/// Up to 32 words in lower case, found in either case.
pub(super) struct Words<const N: usize> {
    words: [&'static [u8]; N],
    /// For each byte the words that begin with it.
    beginning: [u32; 256],
}

impl<const N: usize> Words<N> {
    /// A table of these words; none of them is empty.
    pub(super) const fn new(words: [&'static str; N]) -> Self {
        let (mut all, mut beginning) = ([EMPTY; N], [0; 256]);
        let mut at = 0;
        while at < N {
            let word = words[at].as_bytes();
            all[at] = word;
            beginning[word[0] as usize] |= 1 << at;
            beginning[word[0].to_ascii_uppercase() as usize] |= 1 << at;
            at += 1;
        }
        Self { words: all, beginning }
    }

    /// True when the text holds one of the words.
    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        self.places(text, |_| true)
    }

    /// The words that the text holds: a bit for each, the lowest for the first.
    pub(super) fn of(&self, text: &[u8]) -> u32 {
        let mut found = 0;
        self.places(text, |word| {
            found |= 1 << word;
            false
        });
        found
    }

    /// Tells each word that the text holds until `is_enough` says so.
    fn places(&self, text: &[u8], mut is_enough: impl FnMut(usize) -> bool) -> bool {
        text.iter().enumerate().any(|(at, &b)| {
            let beginning = self.beginning[usize::from(b)];
            beginning != 0
                && bits(beginning).any(|word| {
                    let end = at + self.words[word].len();
                    text.get(at..end).is_some_and(|place| place.eq_ignore_ascii_case(self.words[word])) && is_enough(word)
                })
        })
    }
}

fn bits(mut set: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (lowest < u32::BITS).then_some(lowest as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    static WORDS: Words<4> = Words::new(["pass", "as", "key", "p"]);

    proptest::proptest! {
        #[test]
        fn words_are_found_wherever_they_stand(text in "[paskeyPASKEY_]{0,24}") {
            let lower = text.to_ascii_lowercase();
            let held = |word: &str| lower.contains(word);
            let bits = |has: &dyn Fn(&str) -> bool| ["pass", "as", "key", "p"].iter().enumerate().fold(0, |set, (at, word)| set | u32::from(has(word)) << at);
            proptest::prop_assert_eq!(WORDS.of(text.as_bytes()), bits(&held));
            proptest::prop_assert_eq!(WORDS.are_in(text.as_bytes()), bits(&held) != 0);
            for word in ["pass", "as", "key", "p", ""] {
                proptest::prop_assert_eq!(holds(lower.as_bytes(), word.as_bytes()), held(word));
                proptest::prop_assert_eq!(holds((lower.clone() + &"_".repeat(LONG)).as_bytes(), word.as_bytes()), held(word));
            }
        }
    }
}
