//! Reads `vectors.json`.

use core::fmt;

use serde_json::Value;

/// One case of a section.
pub struct Case(pub Value);

/// The cases of a section.
pub fn section(name: &str) -> Vec<Case> {
    let mut sections: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let Value::Array(cases) = sections[name].take() else { panic!("no section {name}") };
    cases.into_iter().map(Case).collect()
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0["name"])
    }
}

impl Case {
    pub fn number(&self, field: &str) -> f64 {
        number(&self.0[field])
    }

    /// A list with one number an example, or one a class.
    pub fn numbers(&self, field: &str) -> Vec<f64> {
        self.0[field].as_array().unwrap().iter().map(number).collect()
    }

    /// A list of numbers an example.
    pub fn rows(&self, field: &str) -> Vec<Vec<f64>> {
        self.0[field].as_array().unwrap().iter().map(|row| row.as_array().unwrap().iter().map(number).collect()).collect()
    }
}

/// Truth values count as 0 and 1.
fn number(value: &Value) -> f64 {
    value.as_f64().or(value.as_bool().map(f64::from)).unwrap()
}
