//! How likely is a binding a credential? Boosted decision trees over the features, learned from labelled public source.
//!
//! `model.bin` holds the base score (f32) and the number of trees (u16), then each tree: the number of its nodes (u8) and
//! for each node the feature (u8, 255 for a leaf), the threshold or the leaf's value (f32), and the children to go to when
//! the feature is at most the threshold, or above it (u8 each). All little-endian. `tests/train/train.py` writes it.

use std::sync::OnceLock;

use super::features::COUNT;

static BYTES: &[u8] = include_bytes!("model.bin");

/// Marks a node without children.
const LEAF: u8 = 255;

struct Node {
    feature: u8,
    value: f32,
    low: u8,
    high: u8,
}

struct Model {
    base: f32,
    trees: Vec<Vec<Node>>,
    /// For each tree the most that it and all trees after it can add.
    most: Vec<f32>,
}

/// The probability that the binding with these features holds a credential, from 0 to 1; 0 where it is surely below `least`.
/// Most bindings are, and for them a part of the trees shows it.
pub(super) fn probability(features: &[f32; COUNT], least: f32) -> f32 {
    let model = model();
    let least = (least / (1.0 - least)).ln();
    let mut score = model.base;
    for (tree, most) in model.trees.iter().zip(&model.most) {
        if score + most < least {
            return 0.0;
        }
        score += leaf(tree, features);
    }
    1.0 / (1.0 + (-score).exp())
}

fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| read(BYTES).unwrap_or(Model { base: f32::INFINITY, trees: Vec::new(), most: Vec::new() }))
}

/// How much each feature adds to the score of this binding, in the unit of the score: on the way through a tree each question
/// moves the mean of the leaves that are left, and its feature is given that.
pub(super) fn weights(features: &[f32; COUNT]) -> [f32; COUNT] {
    let mut weights = [0.0; COUNT];
    for tree in &model().trees {
        let mut at = 0usize;
        for _ in 0..tree.len() {
            let Some(node) = tree.get(at).filter(|node| node.feature != LEAF) else { break };
            let feature = usize::from(node.feature);
            let low = features.get(feature).is_some_and(|feature| *feature <= node.value);
            let next = usize::from(if low { node.low } else { node.high });
            if let Some(weight) = weights.get_mut(feature) {
                *weight += mean(tree, next, tree.len()) - mean(tree, at, tree.len());
            }
            at = next;
        }
    }
    weights
}

/// The mean of the leaves below a node; `depth` ends a damaged tree.
fn mean(tree: &[Node], at: usize, depth: usize) -> f32 {
    match tree.get(at) {
        Some(node) if node.feature == LEAF => node.value,
        Some(node) if depth > 0 => (mean(tree, usize::from(node.low), depth - 1) + mean(tree, usize::from(node.high), depth - 1)) / 2.0,
        _ => 0.0,
    }
}

fn leaf(tree: &[Node], features: &[f32; COUNT]) -> f32 {
    let mut at = 0usize;
    // A tree cannot be deeper than it has nodes, so a damaged one ends as well.
    for _ in 0..tree.len() {
        let Some(node) = tree.get(at) else { break };
        if node.feature == LEAF {
            return node.value;
        }
        let low = features.get(usize::from(node.feature)).is_some_and(|feature| *feature <= node.value);
        at = usize::from(if low { node.low } else { node.high });
    }
    0.0
}

/// `None` for bytes of another form; a damaged model takes every binding for a credential, so that the gate stays shut.
fn read(bytes: &[u8]) -> Option<Model> {
    let mut rest = bytes;
    let base = f32::from_le_bytes(take(&mut rest)?);
    let count = u16::from_le_bytes(take(&mut rest)?);
    let mut trees = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let [nodes] = take(&mut rest)?;
        let mut tree = Vec::with_capacity(usize::from(nodes));
        for _ in 0..nodes {
            let [feature] = take(&mut rest)?;
            let value = f32::from_le_bytes(take(&mut rest)?);
            let [low, high] = take(&mut rest)?;
            tree.push(Node { feature, value, low, high });
        }
        trees.push(tree);
    }
    let mut most = vec![0.0; trees.len()];
    let mut sum = 0.0;
    for (slot, tree) in most.iter_mut().zip(&trees).rev() {
        sum += tree.iter().filter(|node| node.feature == LEAF).map(|node| node.value).fold(f32::NEG_INFINITY, f32::max);
        *slot = sum;
    }
    rest.is_empty().then_some(Model { base, trees, most })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_model_is_whole_and_fits_the_features() {
        let model = read(BYTES).unwrap();
        assert!(model.trees.len() > 50);
        for node in model.trees.iter().flatten() {
            assert!(node.feature == LEAF || usize::from(node.feature) < COUNT);
        }
        assert!(read(&BYTES[..BYTES.len() - 1]).is_none());
    }
}
