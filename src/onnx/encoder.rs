//! A small BERT-like encoder built from nothing: embeddings, post-normalized layers of attention and feed-forward
//! (Devlin et al., *BERT*, 2019). Inputs `input_ids` and `attention_mask`, output `last_hidden_state`.

use super::{Attribute, Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo};

/// The dimensions of an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoder {
    /// The number of layers.
    pub layers: usize,
    /// The length of a token's vector; a multiple of `heads`.
    pub hidden: usize,
    /// The number of attention heads.
    pub heads: usize,
    /// The number of tokens.
    pub vocabulary: usize,
}

/// The longest text, in tokens.
pub const POSITIONS: usize = 512;
/// The standard deviation of fresh weights.
const DEVIATION: f64 = 0.02;
const EPSILON: f32 = 1e-12;
const OPSET: i64 = 20;

/// Dimensions that make no encoder.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncoderError {
    /// A dimension is 0.
    #[error("`{name}` must be at least 1")]
    Zero {
        /// The dimension.
        name: &'static str,
    },
    /// The heads do not divide the vector.
    #[error("`hidden` ({hidden}) must be a multiple of `heads` ({heads})")]
    Heads {
        /// The length of a token's vector.
        hidden: usize,
        /// The number of heads.
        heads: usize,
    },
}

impl Encoder {
    /// The graph with fresh weights. Each weight is drawn from a stream of its own, keyed by `seed` and the weight's
    /// name: the same seed gives the same bytes on every machine.
    pub fn build(&self, seed: u64) -> Result<Graph, EncoderError> {
        let sizes =
            [("layers", self.layers), ("hidden", self.hidden), ("heads", self.heads), ("vocab", self.vocabulary)];
        if let Some((name, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(EncoderError::Zero { name });
        }
        if !self.hidden.is_multiple_of(self.heads) {
            return Err(EncoderError::Heads { hidden: self.hidden, heads: self.heads });
        }
        let mut plan = Plan { graph: Graph::new("encoder", OPSET), seed };
        let axes = [Axis::named("batch_size"), Axis::named("sequence_length")];
        for input in ["input_ids", "attention_mask"] {
            plan.graph.inputs.push(ValueInfo::new(input, ElementType::Int64, &axes));
        }
        let mut x = plan.embeddings(self);
        let mask = plan.mask();
        for layer in 0..self.layers {
            x = plan.layer(self, layer, &x, &mask);
        }
        let last = plan.graph.nodes.last_mut().expect("an encoder has layers");
        last.outputs[0] = "last_hidden_state".to_owned();
        let [batch, time] = axes;
        let output = ValueInfo::new("last_hidden_state", ElementType::Float, &[batch, time, Axis::Fixed(self.hidden)]);
        plan.graph.outputs.push(output);
        Ok(plan.graph)
    }

    /// The `config.json` that Hugging Face tools read beside such a model.
    pub fn config(&self) -> serde_json::Value {
        serde_json::json!({
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": self.hidden,
            "intermediate_size": 4 * self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "vocab_size": self.vocabulary,
            "max_position_embeddings": POSITIONS,
            "type_vocab_size": 1,
            "layer_norm_eps": 1e-12,
            "initializer_range": DEVIATION,
            "pad_token_id": 0,
            "tie_word_embeddings": false,
        })
    }
}

struct Plan {
    graph: Graph,
    seed: u64,
}

impl Plan {
    fn op(&mut self, path: &str, op: Op, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        let mut node = Node::new(path, op, inputs, &[&format!("{path}_output_0")]);
        node.attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let output = node.outputs[0].clone();
        self.graph.nodes.push(node);
        output
    }

    fn drawn(&mut self, name: &str, shape: &[usize]) -> String {
        let values = normal(self.seed, name, shape.iter().product());
        self.graph.initializers.insert(name.to_owned(), Tensor::from_f32(shape, &values));
        name.to_owned()
    }

    fn filled(&mut self, name: &str, size: usize, value: f32) -> String {
        self.graph.initializers.insert(name.to_owned(), Tensor::from_f32(&[size], &vec![value; size]));
        name.to_owned()
    }

    fn ints(&mut self, name: &str, values: &[i64]) -> String {
        self.graph.initializers.insert(name.to_owned(), Tensor::from_i64(&[values.len()], values));
        name.to_owned()
    }

    fn float(&mut self, name: &str, value: f32) -> String {
        self.graph.initializers.insert(name.to_owned(), Tensor::scalar_f32(value));
        name.to_owned()
    }

    fn norm(&mut self, module: &str, x: &str, size: usize) -> String {
        let dotted = module.trim_start_matches('/').replace('/', ".");
        let weight = self.filled(&format!("{dotted}.weight"), size, 1.0);
        let bias = self.filled(&format!("{dotted}.bias"), size, 0.0);
        let epsilon = [("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(EPSILON))];
        self.op(&format!("{module}/LayerNormalization"), Op::LayerNormalization, &[x, &weight, &bias], &epsilon)
    }

    fn linear(&mut self, module: &str, x: &str, from: usize, to: usize) -> String {
        let dotted = module.trim_start_matches('/').replace('/', ".");
        let weight = self.drawn(&format!("{dotted}.weight"), &[from, to]);
        let bias = self.filled(&format!("{dotted}.bias"), to, 0.0);
        let product = self.op(&format!("{module}/MatMul"), Op::MatMul, &[x, &weight], &[]);
        self.op(&format!("{module}/Add"), Op::Add, &[&product, &bias], &[])
    }

    /// Token and position vectors, normalized. Positions are 0, 1, … up to the length of the batch.
    fn embeddings(&mut self, size: &Encoder) -> String {
        let words = self.drawn("embeddings.word_embeddings.weight", &[size.vocabulary, size.hidden]);
        let places = self.drawn("embeddings.position_embeddings.weight", &[POSITIONS, size.hidden]);
        let words = self.op("/embeddings/word_embeddings/Gather", Op::Gather, &[&words, "input_ids"], &[]);
        let shape = self.op("/embeddings/Shape", Op::Shape, &["input_ids"], &[("start", Attribute::Int(1))]);
        let scalar = self.ints("/embeddings/scalar", &[]);
        let length = self.op("/embeddings/Reshape", Op::Reshape, &[&shape, &scalar], &[]);
        for (name, value) in [("/embeddings/first", 0), ("/embeddings/step", 1)] {
            self.graph.initializers.insert(name.to_owned(), Tensor::from_i64(&[], &[value]));
        }
        let range = ["/embeddings/first", &length, "/embeddings/step"];
        let positions = self.op("/embeddings/Range", Op::Range, &range, &[]);
        let places = self.op("/embeddings/position_embeddings/Gather", Op::Gather, &[&places, &positions], &[]);
        let sum = self.op("/embeddings/Add", Op::Add, &[&words, &places], &[]);
        self.norm("/embeddings/LayerNorm", &sum, size.hidden)
    }

    /// What is added to attention scores, `[batch, 1, 1, sequence]`: 0 for a token, a very negative number for padding.
    fn mask(&mut self) -> String {
        let axes = self.ints("/mask/axes", &[1, 2]);
        let (one, lowest) = (self.float("/mask/one", 1.0), self.float("/mask/lowest", f32::MIN));
        let to = [("to", Attribute::Int(ElementType::Float.onnx().into()))];
        let kept = self.op("/mask/Cast", Op::Cast, &["attention_mask"], &to);
        let kept = self.op("/mask/Unsqueeze", Op::Unsqueeze, &[&kept, &axes], &[]);
        let padding = self.op("/mask/Sub", Op::Sub, &[&one, &kept], &[]);
        self.op("/mask/Mul", Op::Mul, &[&padding, &lowest], &[])
    }

    fn layer(&mut self, size: &Encoder, layer: usize, x: &str, mask: &str) -> String {
        let path = format!("/encoder/layer.{layer}");
        let attended = self.attention(size, &path, x, mask);
        let output = self.linear(&format!("{path}/attention/output/dense"), &attended, size.hidden, size.hidden);
        let sum = self.op(&format!("{path}/attention/output/Add"), Op::Add, &[&output, x], &[]);
        let x = self.norm(&format!("{path}/attention/output/LayerNorm"), &sum, size.hidden);
        let wide = self.linear(&format!("{path}/intermediate/dense"), &x, size.hidden, 4 * size.hidden);
        let wide = self.op(&format!("{path}/intermediate/Gelu"), Op::Gelu, &[&wide], &[]);
        let output = self.linear(&format!("{path}/output/dense"), &wide, 4 * size.hidden, size.hidden);
        let sum = self.op(&format!("{path}/output/Add"), Op::Add, &[&output, &x], &[]);
        self.norm(&format!("{path}/output/LayerNorm"), &sum, size.hidden)
    }

    /// softmax(Q·Kᵀ/√d + mask)·V over heads of size d.
    fn attention(&mut self, size: &Encoder, layer: &str, x: &str, mask: &str) -> String {
        let path = format!("{layer}/attention/self");
        let width = size.hidden / size.heads;
        let split = self.ints(&format!("{path}/split"), &[0, -1, size.heads as i64, width as i64]);
        let joined = self.ints(&format!("{path}/joined"), &[0, -1, size.hidden as i64]);
        let scale = self.float(&format!("{path}/scale"), 1.0 / (width as f32).sqrt());
        let mut heads = |name: &str, perm: [i64; 4]| {
            let all = self.linear(&format!("{path}/{name}"), x, size.hidden, size.hidden);
            let parts = self.op(&format!("{path}/{name}/Reshape"), Op::Reshape, &[&all, &split], &[]);
            let perm = [("perm", Attribute::Ints(perm.to_vec()))];
            self.op(&format!("{path}/{name}/Transpose"), Op::Transpose, &[&parts], &perm)
        };
        let query = heads("query", [0, 2, 1, 3]);
        let key = heads("key", [0, 2, 3, 1]);
        let value = heads("value", [0, 2, 1, 3]);
        let query = self.op(&format!("{path}/Mul"), Op::Mul, &[&query, &scale], &[]);
        let scores = self.op(&format!("{path}/MatMul"), Op::MatMul, &[&query, &key], &[]);
        let scores = self.op(&format!("{path}/Add"), Op::Add, &[&scores, mask], &[]);
        let last = [("axis", Attribute::Int(-1))];
        let shares = self.op(&format!("{path}/Softmax"), Op::Softmax, &[&scores], &last);
        let mixed = self.op(&format!("{path}/MatMul_1"), Op::MatMul, &[&shares, &value], &[]);
        let perm = [("perm", Attribute::Ints(vec![0, 2, 1, 3]))];
        let mixed = self.op(&format!("{path}/Transpose"), Op::Transpose, &[&mixed], &perm);
        self.op(&format!("{path}/Reshape"), Op::Reshape, &[&mixed, &joined], &[])
    }
}

/// Normal numbers with mean 0 and deviation 0.02 by the method of Box and Muller over BLAKE3's output as counter-mode
/// randomness. In 64-bit floats and rounded once, for the last bits of `ln` and `cos` differ between machines.
pub fn normal(seed: u64, name: &str, count: usize) -> Vec<f32> {
    let mut stream = Stream::of(seed, name);
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        let radius = DEVIATION * (-2.0 * stream.next().ln()).sqrt();
        let angle = std::f64::consts::TAU * stream.next();
        values.extend([(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]);
    }
    values.truncate(count);
    values
}

/// Numbers drawn evenly between −`bound` and `bound`, from the same randomness as [`normal`].
pub fn uniform(seed: u64, name: &str, count: usize, bound: f64) -> Vec<f32> {
    let mut stream = Stream::of(seed, name);
    (0..count).map(|_| ((2.0 * stream.next() - 1.0) * bound) as f32).collect()
}

/// Whole numbers drawn evenly from 1 to `end` without it, from the same randomness.
pub fn whole_numbers(seed: u64, name: &str, count: usize, end: i64) -> Vec<i64> {
    let mut stream = Stream::of(seed, name);
    (0..count).map(|_| 1 + (stream.next() * (end - 1) as f64) as i64).collect()
}

/// Randomness keyed by seed and weight.
struct Stream(blake3::OutputReader);

impl Stream {
    fn of(seed: u64, name: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("annotc weight initialisation 1");
        hasher.update(&seed.to_le_bytes());
        hasher.update(name.as_bytes());
        Self(hasher.finalize_xof())
    }

    /// 53 random bits in (0, 1): the half keeps a logarithm away from 0.
    fn next(&mut self) -> f64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        ((u64::from_le_bytes(bytes) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }
}
