//! The curves of a run as TensorBoard reads them: one file of events.
//!
//! Events are `tensorboard.Event` messages in the framing of TFRecord files:
//!
//! ```text
//! length (u64) · masked CRC-32C of the length · message · masked CRC-32C of the message
//! ```
//!
//! An event's wall time is its step in seconds, for no clock reaches an output.

use prost::Message;
use serde_json::Value;

/// The name of the file: TensorBoard looks for `tfevents` in it.
pub(super) const FILE: &str = "events.out.tfevents.annotc";

/// `tensorboard.Event`, as far as it is written here.
#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Scalar>,
}

/// `tensorboard.Summary.Value` with a `simple_value`.
#[derive(Clone, PartialEq, Message)]
struct Scalar {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

/// The events of the lines of `metrics.jsonl`: each number of a line but `step` and `epoch` is a point of a curve. Curves
/// of the validation part begin with `validation/`, the others with `train/`.
pub(super) fn events(metrics: &str) -> Vec<u8> {
    let mut file = Vec::new();
    let version = What::FileVersion("brain.Event:2".to_owned());
    frame(&mut file, &Event { wall_time: 0.0, step: 0, what: Some(version) });
    for line in metrics.lines() {
        let line: Value = serde_json::from_str(line).expect("the loop wrote JSON");
        let step = line["step"].as_i64().unwrap_or(0);
        let numbers =
            line.as_object().into_iter().flatten().filter(|(key, _)| !["step", "epoch"].contains(&key.as_str()));
        let scalar = |(key, value): (&String, &Value)| {
            let tag = match key.strip_prefix("validation_") {
                Some(figure) => format!("validation/{figure}"),
                None => format!("train/{key}"),
            };
            Some(Scalar { tag, simple_value: Some(value.as_f64()? as f32) })
        };
        let value: Vec<Scalar> = numbers.filter_map(scalar).collect();
        frame(&mut file, &Event { wall_time: step as f64, step, what: Some(What::Summary(Summary { value })) });
    }
    file
}

fn frame(file: &mut Vec<u8>, event: &Event) {
    let message = event.encode_to_vec();
    let length = (message.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(masked(crc32c(&length)).to_le_bytes());
    file.extend(&message);
    file.extend(masked(crc32c(&message)).to_le_bytes());
}

/// A sum over data that holds sums itself is weak, so TFRecord files turn and shift it.
fn masked(sum: u32) -> u32 {
    sum.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli), bit by bit: a run's curves are small.
fn crc32c(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let step = |sum: u32| if sum & 1 == 1 { (sum >> 1) ^ POLYNOMIAL } else { sum >> 1 };
    !bytes.iter().fold(!0_u32, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the polynomial (RFC 3720, appendix B.4, has more).
    #[test]
    fn sums_are_those_of_the_standard() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn lines_become_points() {
        let file = events(
            "{\"step\":1,\"epoch\":0.5,\"loss\":0.25,\"tokens\":7}\n{\"step\":1,\"epoch\":1,\"validation_loss\":2.0,\"validation_accuracy\":null}\n",
        );
        let mut found = Vec::new();
        let mut rest = file.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<8>() {
            let (message, after) = after[4..].split_at(u64::from_le_bytes(*length) as usize);
            found.push(Event::decode(message).expect("an event"));
            rest = &after[4..];
        }
        let scalar = |tag: &str, value| Scalar { tag: tag.to_owned(), simple_value: Some(value) };
        let summary = |value| Some(What::Summary(Summary { value }));
        assert_eq!(found[0].what, Some(What::FileVersion("brain.Event:2".to_owned())));
        assert_eq!(found[1].what, summary(vec![scalar("train/loss", 0.25), scalar("train/tokens", 7.0)]));
        assert_eq!((found[1].step, found[2].what.clone()), (1, summary(vec![scalar("validation/loss", 2.0)])));
        assert_eq!(found.len(), 3);
    }
}
