//! Labels of any integer type.

/// The labels of a batch: a slice, an array or a `Vec` of `u8` … `u64`, `i8` … `i64`, `usize` or `isize`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels<'a>(Slice<'a>);

/// An integer that a label may be.
pub trait Integer: Copy + sealed::Sealed {
    /// Its value.
    fn value(self) -> i128;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! integers {
    ($($variant:ident($integer:ty)),+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Slice<'a> {
            $($variant(&'a [$integer]),)+
        }

        impl Labels<'_> {
            /// How many there are.
            #[must_use]
            pub const fn len(&self) -> usize {
                match self.0 {
                    $(Slice::$variant(labels) => labels.len(),)+
                }
            }

            /// That of an example, if there is one.
            #[must_use]
            pub fn get(&self, example: usize) -> Option<i128> {
                match self.0 {
                    $(Slice::$variant(labels) => labels.get(example).map(|label| label.value()),)+
                }
            }
        }

        $(
            impl sealed::Sealed for $integer {}

            impl Integer for $integer {
                #[inline]
                fn value(self) -> i128 {
                    self as i128
                }
            }

            impl<'a> From<&'a [$integer]> for Labels<'a> {
                fn from(labels: &'a [$integer]) -> Self {
                    Self(Slice::$variant(labels))
                }
            }

            impl<'a, const N: usize> From<&'a [$integer; N]> for Labels<'a> {
                fn from(labels: &'a [$integer; N]) -> Self {
                    Self(Slice::$variant(labels))
                }
            }

            impl<'a> From<&'a Vec<$integer>> for Labels<'a> {
                fn from(labels: &'a Vec<$integer>) -> Self {
                    Self(Slice::$variant(labels))
                }
            }
        )+
    };
}

integers!(U8(u8), U16(u16), U32(u32), U64(u64), Usize(usize), I8(i8), I16(i16), I32(i32), I64(i64), Isize(isize));

impl Labels<'_> {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
