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
    /// The same, but a real one for a leaf.
    asked: u8,
    value: f32,
    low: u8,
    high: u8,
}

struct Model {
    base: f32,
    trees: Vec<Tree>,
}

struct Tree {
    nodes: Vec<Node>,
    /// The longest way to a leaf.
    depth: usize,
    /// The most that it and all trees after it can add.
    most: f32,
}

/// After so many trees it is asked whether the others matter.
const ROUND: usize = 8;

/// The probability that the binding with these features holds a credential, from 0 to 1; 0 where it is surely below `least`.
/// Most bindings are, and for them a part of the trees shows it.
pub(super) fn probability(features: &[f32; COUNT], least: f32) -> f32 {
    let model = model();
    let least = (least / (1.0 - least)).ln();
    let mut score = model.base;
    for trees in model.trees.chunks(ROUND) {
        if score + trees[0].most < least {
            return 0.0;
        }
        trees.iter().for_each(|tree| score += leaf(tree, features));
    }
    1.0 / (1.0 + (-score).exp())
}

fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| read(BYTES).unwrap_or(Model { base: f32::INFINITY, trees: Vec::new() }))
}

/// How much each feature adds to the score of this binding, in the unit of the score: on the way through a tree each question
/// moves the mean of the leaves that are left, and its feature is given that.
pub(super) fn weights(features: &[f32; COUNT]) -> [f32; COUNT] {
    let mut weights = [0.0; COUNT];
    for Tree { nodes: tree, .. } in &model().trees {
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

/// All ways are walked to the same depth, a leaf being its own child: so the processor need not guess where they end.
fn leaf(tree: &Tree, features: &[f32; COUNT]) -> f32 {
    let nodes = tree.nodes.as_slice();
    let mut at = 0;
    for _ in 0..tree.depth {
        let node = &nodes[at];
        let low = features[usize::from(node.asked)] <= node.value;
        at = usize::from(if low { node.low } else { node.high });
    }
    nodes[at].value
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
        for at in 0..nodes {
            let [feature] = take(&mut rest)?;
            let value = f32::from_le_bytes(take(&mut rest)?);
            let [low, high] = take(&mut rest)?;
            if feature == LEAF {
                tree.push(Node { feature, asked: 0, value, low: at, high: at });
            } else if usize::from(feature) < COUNT && low < nodes && high < nodes {
                tree.push(Node { feature, asked: feature, value, low, high });
            } else {
                return None;
            }
        }
        let depth = depth(&tree, 0, tree.len())?;
        trees.push(Tree { nodes: tree, depth, most: 0.0 });
    }
    let mut sum = 0.0;
    for tree in trees.iter_mut().rev() {
        sum += tree.nodes.iter().filter(|node| node.feature == LEAF).map(|node| node.value).fold(f32::NEG_INFINITY, f32::max);
        tree.most = sum;
    }
    rest.is_empty().then_some(Model { base, trees })
}

/// The longest way from a node to a leaf; `None` where it leads nowhere, or is longer than a tree of so many nodes has one.
fn depth(tree: &[Node], at: usize, most: usize) -> Option<usize> {
    let node = tree.get(at)?;
    if node.feature == LEAF {
        return Some(0);
    }
    let most = most.checked_sub(1)?;
    Some(1 + depth(tree, usize::from(node.low), most)?.max(depth(tree, usize::from(node.high), most)?))
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
        for node in model.trees.iter().flat_map(|tree| &tree.nodes) {
            assert!(node.feature == LEAF || usize::from(node.feature) < COUNT);
        }
        assert!(read(&BYTES[..BYTES.len() - 1]).is_none());
    }
}
