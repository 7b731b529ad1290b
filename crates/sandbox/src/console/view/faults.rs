//! The faults that the page offers, and which of them are in force.

use serde_json::json;

use crate::console::presets::{PARTS, PRESETS, well};
use crate::control::FaultPlan;

/// The faults of one part of the sandbox.
pub(in crate::console) struct FaultGroup {
    pub part: &'static str,
    pub name: &'static str,
    pub is_ill: bool,
    /// What is in force, when it is none of the presets.
    pub other: Option<String>,
    /// The call that makes it well.
    pub well: String,
    pub presets: Vec<FaultSwitch>,
}

/// One fault, with the call that puts it in force or takes it back.
pub(in crate::console) struct FaultSwitch {
    pub id: String,
    pub name: &'static str,
    pub sentence: &'static str,
    pub on: bool,
    pub body: String,
}

pub(super) fn groups(plan: &FaultPlan) -> Vec<FaultGroup> {
    let (current, healthy) = (json!(plan), json!(FaultPlan::default()));
    PARTS
        .iter()
        .map(|(part, name)| {
            let well = well(part, plan).to_string();
            let presets: Vec<FaultSwitch> = PRESETS
                .iter()
                .enumerate()
                .filter(|(_, preset)| preset.part == *part)
                .map(|(number, preset)| {
                    let on = preset.is_in_force(plan);
                    FaultSwitch {
                        id: format!("fault-{number}"),
                        name: preset.name,
                        sentence: preset.sentence,
                        on,
                        body: match on {
                            true => well.clone(),
                            false => preset.plan(plan).to_string(),
                        },
                    }
                })
                .collect();
            let is_ill = current.get(part) != healthy.get(part);
            let unknown = is_ill && !presets.iter().any(|preset| preset.on);
            FaultGroup {
                part,
                name,
                is_ill,
                other: current
                    .get(part)
                    .filter(|_| unknown)
                    .map(ToString::to_string),
                well,
                presets,
            }
        })
        .collect()
}
