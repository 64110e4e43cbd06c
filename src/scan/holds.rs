//! Does a short text hold one of a few words, or is it one of many? Names, values and paths are asked this for many words each, and a searcher made
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

/// Words in small letters, parted by spaces.
pub(super) struct List {
    words: &'static [u8],
    /// For each byte how long the words are that begin with it: a bit for each length.
    lengths: [u32; 256],
}

impl List {
    /// A table of these words, each shorter than 32 bytes.
    pub(super) const fn new(words: &'static str) -> Self {
        let words = words.as_bytes();
        let mut lengths = [0; 256];
        let (mut start, mut at) = (0, 0);
        while at <= words.len() {
            if at == words.len() || words[at] == b' ' {
                if at > start {
                    lengths[words[start] as usize] |= 1 << (at - start);
                }
                start = at + 1;
            }
            at += 1;
        }
        Self { words, lengths }
    }

    /// True when this very word is one of them. Most are told by their beginning and their length.
    pub(super) fn has(&self, word: &[u8]) -> bool {
        let lengths = word.first().map_or(0, |&b| self.lengths[usize::from(b)]);
        lengths >> word.len().min(31) & 1 != 0 && self.words.split(|&b| b == b' ').any(|one| one == word)
    }

    /// The words.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'static [u8]> {
        self.words.split(|&b| b == b' ').filter(|word| !word.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static WORDS: Words<4> = Words::new(["pass", "as", "key", "p"]);

    #[test]
    fn only_whole_words_of_a_list_are_in_it() {
        static LIST: List = List::new("key keys  a api");
        for (word, is_one) in
            [("key", true), ("keys", true), ("a", true), ("api", true), ("ke", false), ("eys", false), ("", false), ("key keys", false)]
        {
            assert_eq!(LIST.has(word.as_bytes()), is_one, "{word}");
        }
        assert!(!LIST.has(&[b'k'; 99]));
        assert_eq!(LIST.iter().collect::<Vec<_>>(), [&b"key"[..], b"keys", b"a", b"api"]);
    }

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
