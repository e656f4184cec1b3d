//! Gzip data of several members, with what gzip(1) lets stand behind the last one: zeros, as a block of a tape has them.

use std::fmt;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use flate2::bufread::GzDecoder;

/// The bytes with which every member begins.
const BEGIN: [u8; 2] = [0x1f, 0x8b];

/// Unpacks all members, one behind the other.
pub struct Members<R: Read> {
    /// The member at hand; `None` while the next one is looked for, and behind the last one.
    member: Option<GzDecoder<Chain<Cursor<Vec<u8>>, Counted<R>>>>,
}

/// Bytes behind the last member that are neither another one nor zeros.
#[derive(Debug)]
struct Garbage {
    /// The 0-based byte of the file that the first of them is.
    at: u64,
}

impl fmt::Display for Garbage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "behind its last member, from byte {} on, stand bytes that are neither another member nor zeros",
            self.at
        )
    }
}

impl std::error::Error for Garbage {}

impl<R: Read> Members<R> {
    /// Over the bytes of a file.
    pub fn new(input: R) -> Self {
        let input = Counted { input: BufReader::with_capacity(1 << 16, input), passed: 0 };
        Self { member: Some(GzDecoder::new(Cursor::new(Vec::new()).chain(input))) }
    }

    /// Goes on to the member behind the one that has ended, if there is one.
    fn next_member(&mut self) -> io::Result<()> {
        let Some(ended) = self.member.take() else { return Ok(()) };
        let (_, mut input) = ended.into_inner().into_inner();
        let mut first = input.next()?;
        let zeros = first == Some(0);
        while first == Some(0) {
            first = input.next()?;
        }
        let at = input.passed.saturating_sub(1);
        match first {
            None => Ok(()),
            Some(first) if !zeros && first == BEGIN[0] && input.next()?.is_none_or(|second| second == BEGIN[1]) => {
                // A file that was cut off behind the first byte ends within its member.
                let begin = if input.passed == at + 1 { vec![first] } else { BEGIN.to_vec() };
                self.member = Some(GzDecoder::new(Cursor::new(begin).chain(input)));
                Ok(())
            }
            Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, Garbage { at })),
        }
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.next_member()?;
        }
        Ok(0)
    }
}

/// Bytes that are counted as they pass.
struct Counted<R> {
    input: BufReader<R>,
    passed: u64,
}

impl<R: Read> Counted<R> {
    /// The next byte, `None` behind the last one.
    fn next(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.fill_buf() {
                Ok(bytes) => {
                    let next = bytes.first().copied();
                    self.consume(usize::from(next.is_some()));
                    return Ok(next);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.passed += read as u64;
        Ok(read)
    }
}

impl<R: Read> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.passed += bytes as u64;
        self.input.consume(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).expect("it is written into memory");
        encoder.finish().expect("it is written into memory")
    }

    /// What is unpacked, or the error.
    fn unpacked(bytes: &[u8]) -> Result<String, String> {
        let mut text = String::new();
        // A byte at a time, so that every border falls between two reads.
        let single = bytes
            .chunks(1)
            .map(Cursor::new)
            .fold(Box::new(io::empty()) as Box<dyn Read>, |all, byte| Box::new(all.chain(byte)));
        let whole = Members::new(bytes).read_to_string(&mut String::new()).map_err(|error| error.to_string());
        let read = Members::new(single).read_to_string(&mut text).map_err(|error| error.to_string());
        assert_eq!(whole, read);
        read.map(|_| text)
    }

    #[test]
    fn members_follow_each_other_and_zeros_may_follow_the_last_one() {
        let (one, two) = (packed("one "), packed("two"));
        let both = [&one[..], &two].concat();
        assert_eq!(unpacked(&both), Ok("one two".to_owned()));
        assert_eq!(unpacked(&[&both[..], &[0; 700]].concat()), Ok("one two".to_owned()));
        let empty = packed("");
        assert_eq!(unpacked(&[&empty[..], &one, &empty].concat()), Ok("one ".to_owned()));
        let garbage = |behind: &[u8]| unpacked(&[&both[..], behind].concat()).expect_err("they are told");
        let from = |at: usize| format!("from byte {} on, stand bytes that are neither", both.len() + at);
        assert!(garbage(b"text").contains(&from(0)));
        assert!(garbage(b"\0\0\x1f\x8b").contains(&from(2)));
        assert!(garbage(b"\x1ftext").contains(&from(0)));
        // A member that is cut off is none of this.
        for cut in [1, 2, 9, two.len() - 1] {
            let error = unpacked(&[&one[..], &two[..cut]].concat()).expect_err("it is cut off");
            assert!(!error.contains("behind its last member"), "{cut}: {error}");
        }
        for cut in [0, 1, 2, 12] {
            assert!(unpacked(&one[..cut]).is_err(), "{cut}");
        }
    }
}
