//! The JSON schema of the records, made of the types themselves: for those who write a tool in another language, or
//! generate its types.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{
    Schema, SchemaGenerator,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde_json::{Value, json};

use super::{
    Body, Capture, Change, DayRow, End, Event, Fault, Fresh, Gap, Group, Heartbeat, Pruned, Report, Row,
    Sample, Scan, State, StatusRecord, Stored, TableStatus, Timestamp, VERSION, Work,
};

/// The schema (JSON Schema, draft 2020-12) of one line of what the tools write: by its `type`, what a record has to
/// have and of what form each field is. Further fields are allowed, as they may be added; what a record leaves out is
/// missing and never null, but for a time and a number in the status of mod-watch. A field with a `default` is in every
/// record of ours; others may leave it out.
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(Absent);
    let mut all = All { generator: settings.into_generator(), types: BTreeMap::new() };
    all.add::<Capture>().add::<Sample>().add::<Scan>().add::<Heartbeat>().add::<End>().add::<Fault>();
    all.add::<Stored<'_>>().add::<Pruned>().add::<TableStatus>().add::<StatusRecord<'_>>();
    all.add::<Report>().add::<Row>().add::<DayRow>().add::<Group>().add::<Event>();
    all.add::<Change>().add::<Gap>().add::<State>().add::<Fresh>().add::<Work>();
    all.whole()
}

struct All {
    generator: SchemaGenerator,
    /// What a record of each type may be.
    types: BTreeMap<&'static str, Vec<Schema>>,
}

impl All {
    fn add<B: Body + schemars::JsonSchema>(&mut self) -> &mut Self {
        let schema = self.generator.subschema_for::<B>();
        self.types.entry(B::TYPE).or_default().push(schema);
        self
    }

    fn whole(mut self) -> Value {
        let ts = self.generator.subschema_for::<Timestamp>();
        let words: Vec<_> = self.types.keys().copied().collect();
        // One condition for each type rather than a choice of all: what is wrong is then told of the type that it is.
        let each: Vec<_> = self
            .types
            .iter()
            .map(|(word, bodies)| {
                let is_it = json!({"properties": {"type": {"const": word}}, "required": ["type"]});
                let body = if let [body] = &bodies[..] { json!(body) } else { json!({"anyOf": bodies}) };
                json!({"if": is_it, "then": body})
            })
            .collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "A record of modtools: one line of NDJSON",
            "type": "object",
            "required": ["v", "type", "ts"],
            "properties": {"v": {"const": VERSION}, "type": {"enum": words}, "ts": ts},
            "allOf": each,
            "$defs": self.generator.take_definitions(true),
        })
    }
}

/// A field that may be missing is never null; one that has a default may be missing in records of other makers, which
/// the tools pass on as they came.
#[derive(Clone, Debug)]
struct Absent;

impl Transform for Absent {
    fn transform(&mut self, schema: &mut Schema) {
        // Of a record that is in another one, the same field may come twice.
        let mut required = names(schema.get("required"));
        if let Some(Value::Object(fields)) = schema.get_mut("properties") {
            let optional = fields.iter_mut().filter(|(name, _)| !required.contains(*name));
            optional.for_each(|(_, field)| not_null(field));
            required.retain(|name| fields.get(name).is_none_or(|field| field.get("default").is_none()));
        }
        if required.is_empty() {
            schema.remove("required");
        } else {
            schema.insert("required".into(), json!(required));
        }
        transform_subschemas(self, schema);
    }
}

fn names(list: Option<&Value>) -> BTreeSet<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn not_null(field: &mut Value) {
    let Value::Object(field) = field else { return };
    // What is missing has no value.
    field.remove("default");
    if let Some(Value::Array(types)) = field.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            field.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = field.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
    }
}
