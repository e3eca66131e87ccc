//! Counts and labels from two bytes: small ones, those near the number of classes, and the largest there are.

use arbitrary::{Arbitrary, Result, Unstructured};

/// A rank, a label, or a number of classes.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// From 0, modulo the number of classes where it is a label.
    Low(u8),
    /// From the number of classes down, past 0 to the largest integers.
    FromTheEnd(u8),
    /// From the number of classes up.
    Beyond(u8),
    /// A power of two.
    Power(u8),
    /// From the largest integer down.
    Huge(u8),
}

impl<'a> Arbitrary<'a> for Place {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let n = u.arbitrary()?;
        Ok(match u8::arbitrary(u)? {
            0..=169 => Self::Low(n),
            170..=219 => Self::FromTheEnd(n),
            220..=229 => Self::Beyond(n),
            230..=242 => Self::Power(n),
            243..=255 => Self::Huge(n),
        })
    }
}

impl Place {
    /// A rank among so many.
    #[must_use]
    pub fn rank(self, len: usize) -> usize {
        match self {
            Self::Low(n) => n.into(),
            Self::FromTheEnd(n) => len.wrapping_sub((n % 8).into()),
            Self::Beyond(n) => len + usize::from(n),
            Self::Power(n) => 1 << (u32::from(n) % usize::BITS),
            Self::Huge(n) => usize::MAX - usize::from(n % 8),
        }
    }

    /// One of so many, for the most part.
    #[must_use]
    pub fn label(self, len: usize) -> usize {
        match self {
            Self::Low(n) => usize::from(n) % len.max(1),
            _ => self.rank(len),
        }
    }
}
