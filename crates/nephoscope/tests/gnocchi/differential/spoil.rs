//! Bodies that are almost right.

use nephoscope_testkit::random::Random;
use serde_json::{Value, json};

/// The body with one thing changed somewhere in it.
pub(super) fn spoiled(random: &mut Random, mut body: Value) -> Value {
    spoil(random, &mut body);
    body
}

fn spoil(random: &mut Random, value: &mut Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() && random.chance(85) => {
            let keys: Vec<_> = fields.keys().cloned().collect();
            let key = random.one_of(&keys);
            match random.below(10) {
                0 => {
                    fields.insert("extra".into(), junk(random));
                }
                1..3 => {
                    fields.remove(key);
                }
                _ => spoil(random, &mut fields[key]),
            }
        }
        Value::Array(items) if !items.is_empty() && random.chance(85) => {
            let at = random.below(items.len());
            spoil(random, &mut items[at]);
        }
        other => *other = junk(random),
    }
}

fn junk(random: &mut Random) -> Value {
    let choices = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(7),
        json!(""),
        json!("junk"),
        json!("a/b"),
        json!("12"),
        json!("über"),
        json!([]),
        json!({}),
        json!([1]),
        json!({ "a": 1 }),
        json!("1 day"),
        json!("2020-01-01"),
        json!("2020-01-01T00:00:00.123456789"),
    ];
    random.one_of(&choices).clone()
}
