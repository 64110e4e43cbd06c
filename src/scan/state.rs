//! What does a state of Terraform mark as sensitive? Each resource lists the attributes that are never shown, and an output says
//! so itself; here are the places of their values.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// More marks on one resource than anyone writes: then all of its attributes are taken for marked.
const MOST_PATHS: usize = 128;
/// Attributes nest no deeper.
const DEEPEST: u8 = 16;

/// The values of marked attributes in a text, by place.
#[derive(Default)]
pub(super) struct Marked {
    places: Option<Vec<Range<usize>>>,
}

impl Marked {
    /// True for the content of a string that the state marks.
    pub(super) fn holds(&mut self, text: &[u8], value: &Range<usize>) -> bool {
        let places = self.places.get_or_insert_with(|| marked(text));
        places.binary_search_by_key(&value.start, |place| place.start).is_ok_and(|at| places[at] == *value)
    }
}

/// The places of all marked strings, without their quotes, in order; none where the text is no state.
fn marked(text: &[u8]) -> Vec<Range<usize>> {
    let Ok(state) = serde_json::from_slice::<State<'_>>(text) else { return Vec::new() };
    let mut found = Vec::new();
    for output in state.outputs.into_iter().flat_map(BTreeMap::into_values).filter(|output| output.sensitive == Some(true)) {
        output.value.into_iter().for_each(|value| strings(value, DEEPEST, &mut found));
    }
    for instance in state.resources.into_iter().flatten().filter_map(|resource| resource.instances).flatten() {
        let (Some(attributes), Some(paths)) = (instance.attributes, &instance.sensitive_attributes) else { continue };
        if paths.len() > MOST_PATHS {
            strings(attributes, DEEPEST, &mut found);
            continue;
        }
        let Some(members) = (!paths.is_empty()).then(|| members(attributes)).flatten() else { continue };
        for path in paths {
            let steps = path.as_array().map_or(std::slice::from_ref(path), Vec::as_slice);
            let Some((first, rest)) = steps.split_first() else { continue };
            if let Some(value) = name(first).and_then(|name| members.get(name)) {
                follow(value, rest, &mut found);
            }
        }
    }
    let base = text.as_ptr() as usize;
    let place = |string: &str| {
        let start = string.as_ptr() as usize - base;
        start..start + string.len()
    };
    let mut places: Vec<Range<usize>> = found.into_iter().map(place).collect();
    places.sort_unstable_by_key(|place| place.start);
    places.dedup();
    places
}

/// All strings that stand at the end of the path.
fn follow<'t>(value: &'t RawValue, steps: &[Value], found: &mut Vec<&'t str>) {
    let Some((step, rest)) = steps.split_first() else { return strings(value, DEEPEST, found) };
    let key = step.get("value").map(|value| value.get("value").unwrap_or(value));
    if let Some(members) = members(value) {
        if let Some(member) = key.and_then(Value::as_str).and_then(|key| members.get(key)) {
            follow(member, rest, found);
        }
    } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
        match key.and_then(Value::as_u64).and_then(|at| items.get(usize::try_from(at).ok()?)) {
            Some(item) => follow(item, rest, found),
            // An item of a set has no number.
            None => strings(value, DEEPEST, found),
        }
    }
}

/// What the step `{"type": "get_attr", "value": "name"}` names.
fn name(step: &Value) -> Option<&str> {
    step.get("value")?.as_str()
}

fn members(value: &RawValue) -> Option<BTreeMap<Cow<'_, str>, &RawValue>> {
    serde_json::from_str(value.get()).ok()
}

/// The strings in a value, without their quotes.
fn strings<'t>(value: &'t RawValue, depth: u8, found: &mut Vec<&'t str>) {
    let text = value.get();
    if let Some(content) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        found.push(content);
    } else if let Some(depth) = depth.checked_sub(1) {
        if let Some(members) = members(value) {
            members.into_values().for_each(|member| strings(member, depth, found));
        } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
            items.into_iter().for_each(|item| strings(item, depth, found));
        }
    }
}

#[derive(Deserialize)]
struct State<'a> {
    #[serde(borrow)]
    outputs: Option<BTreeMap<Cow<'a, str>, Output<'a>>>,
    #[serde(borrow)]
    resources: Option<Vec<Resource<'a>>>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    sensitive: Option<bool>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow)]
    instances: Option<Vec<Instance<'a>>>,
}

#[derive(Deserialize)]
struct Instance<'a> {
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
    sensitive_attributes: Option<Vec<Value>>,
}
