//! From an exported graph to one that can be trained: which of its tensors are parameters, and which of them are one.
//!
//! The passes run in order; each leaves a graph that computes the same:
//!
//! | pass | what it does |
//! |---|---|
//! | `constants` | `Constant` nodes become initializers |
//! | `rotary` | gives every record its angles, as the runtime wants them |
//! | `uses` | finds the parameters: initializers that meet the data as weights |
//! | `merged` | splits what the exporter merged because it was equal |
//! | `tied` | joins what the exporter copied although it is one |
//! | `wrapper` | finds what the paths begin with that is not the model's own |

mod constants;
mod linear;
mod merged;
mod rotary;
mod tied;
mod uses;
mod wrapper;

use std::collections::BTreeMap;

use super::{ElementType, Graph, Node, Op, Tensor};
pub use linear::Linear;
pub use uses::Role;
pub use wrapper::{HEAD_PATHS, VOCABULARY_PATHS};

/// A graph whose parameters are known.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The graph, with the inputs and outputs of the file.
    pub graph: Graph,
    /// Its parameters, in the order of their first use.
    pub parameters: Vec<Parameter>,
    tied: Vec<tied::Copy>,
    /// What the exported module adds in front of the model's own paths, such as `m.`.
    wrapper: String,
}

/// A tensor that training may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The initializer's name in the graph.
    pub name: String,
    /// The name to show: PyTorch's where the exporter kept it, else made of the path of the node that reads it, as in
    /// `encoder.layer.0.attention.self.query.weight`. A module that holds the whole model has no part in it.
    pub path: String,
    /// The dimensions.
    pub shape: Vec<usize>,
    /// What it is to the model.
    pub role: Role,
}

/// Why a graph cannot be trained.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Nothing to train.
    #[error("the graph has no weights in 32-bit floats; export it with `--dtype fp32` and without quantization")]
    NoParameters,
    /// A weight with which nothing can be computed.
    #[error(
        "the weight `{path}` holds values that are no finite numbers: {count}, the first of them at place {first}; the file is \
         damaged, or was saved by a run that diverged: export the model anew from weights that are whole"
    )]
    NotFinite {
        /// The weight.
        path: String,
        /// How many of its values.
        count: usize,
        /// The place of the first of them, counted from 0, row by row.
        first: usize,
    },
    /// A trained value that does not fit.
    #[error("parameter `{name}` has {needed} elements, {found} were given")]
    Length {
        /// The parameter.
        name: String,
        /// Its number of elements.
        needed: usize,
        /// The number given.
        found: usize,
    },
    /// A trained value for a tensor that is not a parameter.
    #[error("the graph has no parameter `{name}`")]
    Unknown {
        /// The name.
        name: String,
    },
}

/// Runs the passes. `config` is the model's `config.json` (or `null`); it tells whether embedding and head are tied.
pub fn import(mut graph: Graph, config: &serde_json::Value) -> Result<Imported, ImportError> {
    constants::fold(&mut graph);
    rotary::expand(&mut graph);
    merged::unshare(&mut graph);
    let uses = uses::find(&graph);
    merged::split(&mut graph, &uses, config);
    let uses = uses::find(&graph);
    let tied = tied::join(&mut graph, &uses, config);
    let imported = Imported::of(graph, tied);
    if imported.parameters.is_empty() {
        return Err(ImportError::NoParameters);
    }
    imported.parameters.iter().try_for_each(|parameter| check_finite(&imported.graph, parameter))?;
    Ok(imported)
}

/// A weight that is no number makes every loss none, and the data would be blamed for it.
fn check_finite(graph: &Graph, parameter: &Parameter) -> Result<(), ImportError> {
    let values = graph.initializers[&parameter.name].to_f32().unwrap_or_default();
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(first) => {
            let count = values[first..].iter().filter(|value| !value.is_finite()).count();
            Err(ImportError::NotFinite { path: parameter.path.clone(), count, first })
        }
    }
}

impl Imported {
    /// A graph built by the crate itself: its parameters are found, and nothing needs to be split or tied.
    pub fn built(graph: Graph) -> Self {
        Self::of(graph, Vec::new())
    }

    fn of(graph: Graph, tied: Vec<tied::Copy>) -> Self {
        let wrapper = {
            let uses = uses::find(&graph);
            let paths: Vec<String> = uses.iter().map(uses::Use::path).collect();
            wrapper::find(paths.iter().map(String::as_str))
        };
        let parameters = parameters(&graph, &wrapper);
        Self { graph, parameters, tied, wrapper }
    }

    /// Finds the parameters anew after surgery on `graph`.
    pub fn refresh(&mut self) {
        self.parameters = parameters(&self.graph, &self.wrapper);
    }

    /// The layers that multiply data by a matrix of weights, in the order of their first use.
    pub fn linears(&self) -> Vec<Linear> {
        linear::find(&self.graph, &self.wrapper)
    }

    /// Whether a layer had a bias that an exporter left out for it was zero: it writes a layer that never had one as a `MatMul`.
    pub fn lost_bias(&self, linear: &Linear) -> bool {
        let is_bare = |node: &Node| node.op == Op::Gemm && node.input(2).is_none();
        linear.nodes.iter().all(|at| is_bare(&self.graph.nodes[*at]))
    }

    /// A parameter's values, row-major.
    pub fn values(&self, name: &str) -> Option<Vec<f32>> {
        self.graph.initializers.get(name)?.to_f32()
    }

    /// The graph for saving: trained values under their names, and copies of tied tensors as the exporter wrote them.
    pub fn with_values(&self, trained: &BTreeMap<String, Vec<f32>>) -> Result<Graph, ImportError> {
        let mut graph = self.graph.clone();
        for (name, values) in trained {
            let tensor = graph.initializers.get_mut(name).ok_or_else(|| ImportError::Unknown { name: name.clone() })?;
            if tensor.element() != ElementType::Float {
                return Err(ImportError::Unknown { name: name.clone() });
            }
            if tensor.len() != values.len() {
                let (needed, found) = (tensor.len(), values.len());
                return Err(ImportError::Length { name: name.clone(), needed, found });
            }
            *tensor = Tensor::from_f32(tensor.shape(), values);
        }
        tied::part(&mut graph, &self.tied);
        Ok(graph)
    }
}

fn parameters(graph: &Graph, wrapper: &str) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for found in uses::find(graph) {
        if parameters.iter().all(|parameter| parameter.name != found.name) {
            let shape = graph.initializers[&found.name].shape().to_vec();
            parameters.push(Parameter { path: found.path_within(wrapper), name: found.name, shape, role: found.role });
        }
    }
    parameters
}

#[cfg(test)]
mod tests;
