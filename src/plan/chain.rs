//! A chain of projections over a table: each stage sees the columns as the one before left them.

use datafusion::common::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col};

/// A plan that grows by projections.
#[derive(Debug, Clone)]
pub struct Chain {
    plan: LogicalPlanBuilder,
    names: Vec<String>,
}

impl Chain {
    /// Begins with a table's scan.
    pub fn new(scan: LogicalPlan) -> Self {
        let names = scan.schema().fields().iter().map(|field| field.name().clone()).collect();
        Self { plan: LogicalPlanBuilder::new(scan), names }
    }

    /// Whether a column of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// One stage: each column given gets its value from the columns as they are; the others pass.
    pub fn stage(self, values: Vec<(String, Expr)>) -> Result<Self> {
        let mut names = self.names;
        let mut columns: Vec<Expr> = names.iter().map(col).collect();
        for (name, value) in values {
            let value = value.alias(&name);
            match names.iter().position(|known| *known == name) {
                Some(at) => columns[at] = value,
                None => {
                    names.push(name);
                    columns.push(value);
                }
            }
        }
        Ok(Self { plan: self.plan.project(columns)?, names })
    }

    /// The columns that are wanted in the end, by name; the optimizer leaves out what they do not need.
    pub fn select(self, names: &[String]) -> Result<LogicalPlan> {
        self.plan.project(names.iter().map(col).collect::<Vec<_>>())?.build()
    }
}
