//! In which order commits are looked at. The order decides which of several commits is named as the one that brought
//! something, so it must not depend on who lists them.

use std::collections::{HashMap, HashSet};

use super::objects::ObjectId;

/// Sorts commits, each given with its parents, so that parents stand before children: the history of the first tip
/// first, and of a merge the first parent's.
pub(super) fn parents_first(tips: &[ObjectId], commits: &[(ObjectId, Vec<ObjectId>)]) -> Vec<ObjectId> {
    let parents: HashMap<_, _> = commits.iter().map(|(id, parents)| (*id, parents.as_slice())).collect();
    let mut seen = HashSet::with_capacity(commits.len());
    let mut sorted = Vec::with_capacity(commits.len());
    // Where clocks went wrong, git may list a commit that is not reached from a tip through listed ones: none is lost.
    let listed = commits.iter().rev().map(|(id, _)| id);
    for &start in tips.iter().chain(listed) {
        if !parents.contains_key(&start) || !seen.insert(start) {
            continue;
        }
        // Each commit on the way down, with the parents that are still to be visited.
        let mut way = vec![(start, parents.get(&start).copied().unwrap_or_default().iter())];
        while let Some((id, rest)) = way.last_mut() {
            match rest.next() {
                Some(parent) => {
                    if let Some(further) = parents.get(parent).filter(|_| seen.insert(*parent)) {
                        way.push((*parent, further.iter()));
                    }
                }
                None => {
                    sorted.push(*id);
                    way.pop();
                }
            }
        }
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_history_and_not_of_the_list() {
        let id = |n: u8| ObjectId::from_bytes(&[n; 20]).unwrap();
        let commit = |n: u8, parents: &[u8]| (id(n), parents.iter().map(|&n| id(n)).collect::<Vec<_>>());
        // 1 is known; 2-3 is the main line, 4-5 a branch, 6 their merge, 7 stands apart.
        let mut commits = vec![commit(2, &[1]), commit(3, &[2]), commit(4, &[2]), commit(5, &[4]), commit(6, &[3, 5]), commit(7, &[])];
        let wanted: Vec<_> = [2, 3, 4, 5, 6, 7].map(id).to_vec();
        for _ in 0..commits.len() {
            assert_eq!(parents_first(&[id(6), id(7)], &commits), wanted);
            commits.rotate_left(1);
        }
        assert_eq!(parents_first(&[id(6)], &commits), wanted, "what no tip reaches is kept");
        assert_eq!(parents_first(&[id(6), id(1)], &commits), wanted, "a known tip brings nothing");
    }
}
