//! Attention, contractions, normalizations and losses.

use super::{
    Case,
    Operand::{self, Absent, Fixed, Given, Truth},
    any, case, int_matrix, ints, positive,
};
use crate::onnx::{Op, Tensor};

pub(super) fn cases() -> Vec<Case> {
    [attention(), contractions(), normalizations(), losses()].concat()
}

fn attention() -> Vec<Case> {
    let node = |operands: Vec<Operand>| case(Op::Attention, operands).opset(23);
    let flat = |operands: Vec<Operand>| node(operands).int("q_num_heads", 2).int("kv_num_heads", 2);
    let lower = vec![1.0, -1.0, -1.0, 1.0, 1.0, -1.0];
    let table = |shape: &[usize], values: Vec<f32>| Fixed(Tensor::from_f32(shape, &values));
    let angles: Vec<f32> = (0..10).map(|at| at as f32 * 0.3).collect();
    let [cos, sin] = [f32::cos, f32::sin].map(|f| angles.iter().map(|&angle| f(angle)).collect::<Vec<_>>());
    vec![
        node(vec![any(&[1, 2, 3, 2]), any(&[1, 2, 2, 2]), any(&[1, 2, 2, 3])]),
        node(vec![any(&[1, 4, 2, 2]), any(&[1, 2, 3, 2]), any(&[1, 2, 3, 2])]).float("scale", 0.4),
        node(vec![any(&[2, 1, 2, 2]), any(&[2, 1, 3, 2]), any(&[2, 1, 3, 2]), Truth(vec![2, 3], lower)]),
        node(vec![any(&[1, 2, 2, 2]), any(&[1, 2, 3, 2]), any(&[1, 2, 3, 2]), any(&[1, 1, 2, 3])])
            .float("softcap", 1.5),
        node(vec![any(&[1, 1, 3, 2]), any(&[1, 1, 3, 2]), any(&[1, 1, 3, 2])]).int("is_causal", 1),
        node(vec![
            any(&[1, 1, 2, 2]),
            any(&[1, 1, 2, 2]),
            any(&[1, 1, 2, 2]),
            Absent,
            any(&[1, 1, 3, 2]),
            any(&[1, 1, 3, 2]),
        ])
        .int("is_causal", 1)
        .outputs(3),
        flat(vec![any(&[1, 3, 4]), any(&[1, 2, 4]), any(&[1, 2, 6])]),
        node(vec![any(&[2, 2, 8]), any(&[2, 3, 4]), any(&[2, 3, 4])]).int("q_num_heads", 4).int("kv_num_heads", 2),
        case(
            Op::RotaryEmbedding,
            vec![
                any(&[1, 2, 2, 4]),
                table(&[5, 2], cos.clone()),
                table(&[5, 2], sin.clone()),
                int_matrix(&[1, 2], &[3, 1]),
            ],
        )
        .opset(23),
        case(
            Op::RotaryEmbedding,
            vec![any(&[1, 2, 8]), table(&[1, 2, 1], cos[4..6].to_vec()), table(&[1, 2, 1], sin[4..6].to_vec())],
        )
        .int("num_heads", 2)
        .int("rotary_embedding_dim", 2)
        .int("interleaved", 1)
        .opset(23),
    ]
}

fn contractions() -> Vec<Case> {
    let einsum = |equation: &str, shapes: &[&[usize]]| {
        case(Op::Einsum, shapes.iter().map(|shape| any(shape)).collect()).text("equation", equation)
    };
    vec![
        einsum("bij,bjk->bik", &[&[2, 2, 3], &[2, 3, 2]]),
        einsum("bhid,bhjd->bhij", &[&[1, 2, 3, 2], &[1, 2, 2, 2]]),
        einsum("ij->ji", &[&[2, 3]]),
        einsum("ij->i", &[&[2, 3]]),
        einsum("i,j", &[&[2], &[3]]),
        einsum("ij,ij->", &[&[2, 3], &[2, 3]]),
        einsum("ij,j,k->i", &[&[2, 3], &[3], &[2]]),
        einsum("...ij,...jk->...ik", &[&[2, 1, 2, 3], &[1, 2, 3, 2]]),
    ]
}

fn normalizations() -> Vec<Case> {
    let node = |op: Op, operands: Vec<Operand>| case(op, operands).float("epsilon", 1e-3);
    let vector = |values: [f32; 3]| Fixed(Tensor::from_f32(&[3], &values));
    let batch = |shape: &[usize]| {
        let statistics = [vector([0.1, -0.2, 0.3]), vector([0.5, 1.5, 1.0])];
        let [mean, variance] = statistics;
        node(Op::BatchNormalization, vec![any(shape), any(&[3]), any(&[3]), mean, variance])
    };
    vec![
        batch(&[2, 3]),
        batch(&[2, 3, 2]),
        batch(&[1, 3, 2, 2]),
        node(Op::InstanceNormalization, vec![any(&[2, 3, 4]), any(&[3]), any(&[3])]),
        node(Op::GroupNormalization, vec![any(&[2, 4, 3]), any(&[4]), any(&[4])]).int("num_groups", 2).opset(21),
        node(Op::GroupNormalization, vec![any(&[2, 4, 3]), any(&[2]), any(&[2])]).int("num_groups", 2).opset(20),
        case(Op::LpNormalization, vec![any(&[2, 3])]),
        case(Op::LpNormalization, vec![positive(&[2, 3])]).int("p", 1).int("axis", 0),
        case(Op::LpNormalization, vec![Given(vec![2, 2], vec![1.0, -2.0, 0.5, 0.7])]).int("axis", 1).int("p", 2),
    ]
}

fn losses() -> Vec<Case> {
    let weights = || Fixed(Tensor::from_f32(&[3], &[0.5, 2.0, 1.0]));
    let labels = || int_matrix(&[2, 2], &[2, -100, 0, 1]);
    vec![
        case(Op::SoftmaxCrossEntropyLoss, vec![any(&[4, 3]), ints(&[0, 2, 1, 1])]),
        case(Op::SoftmaxCrossEntropyLoss, vec![any(&[2, 3, 2]), labels(), weights()]).int("ignore_index", -100),
        case(Op::SoftmaxCrossEntropyLoss, vec![any(&[2, 3, 2]), labels()])
            .int("ignore_index", -100)
            .text("reduction", "none")
            .outputs(2),
        case(Op::NegativeLogLikelihoodLoss, vec![any(&[4, 3]), ints(&[0, 2, 1, 1]), weights()])
            .text("reduction", "sum"),
        case(Op::NegativeLogLikelihoodLoss, vec![any(&[2, 3, 2]), labels()]).int("ignore_index", -100),
    ]
}
