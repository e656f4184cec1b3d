use super::*;
use crate::onnx::ValueInfo;

#[test]
fn an_empty_past_makes_the_present_the_whole() {
    let mut graph = Graph::new("decoder", 18);
    let (batch, time) = (Axis::named("batch_size"), Axis::named("sequence_length"));
    let whole = Axis::named("past_sequence_length + sequence_length");
    let key = [batch.clone(), Axis::Fixed(4), Axis::named("past_sequence_length"), Axis::Fixed(16)];
    graph.inputs = vec![
        ValueInfo::new("attention_mask", ElementType::Int64, &[batch.clone(), whole]),
        ValueInfo::new("past_key_values.0.key", ElementType::Float, &key),
    ];
    let logits = [batch.clone(), time.clone(), Axis::Fixed(100)];
    graph.outputs.push(ValueInfo::new("logits", ElementType::Float, &logits));
    let Ok(Family::Decoder { vocabulary: 100, past }) = family(&graph, &serde_json::Value::Null) else {
        panic!("a graph with past inputs is a decoder")
    };
    assert_eq!(past[0].empty_shape(3), [3, 4, 0, 16]);
    fix_past(&mut graph);
    assert_eq!(graph.inputs[0].shape, Some(vec![batch, time]));
    assert_eq!(graph.inputs[1].shape.as_ref().map(|axes| axes[2].clone()), Some(Axis::Fixed(0)));
}
