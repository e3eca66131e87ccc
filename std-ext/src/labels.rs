//! The labels of a batch, integers of any type.

/// The labels of a batch: a slice, an array or a `Vec` of `u8` … `u64`, `i8` … `i64`, `usize` or `isize`, borrowed and not converted.
///
/// ```
/// use topk_loss_batch::Labels;
/// let labels = Labels::from(&[3_u8, 0, 1]);
/// assert_eq!((labels.len(), labels.get(0), labels.get(3)), (3, Some(3), None));
/// assert_eq!(Labels::from(&vec![-100_i64]).get(0), Some(-100));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels<'a>(Slice<'a>);

/// An integer type that labels may have: `u8` … `u64`, `i8` … `i64`, `usize`, `isize`. The trait is sealed.
///
/// ```
/// use topk_loss_batch::Integer;
/// assert_eq!((7_u8.value(), (-100_i64).value()), (7, -100));
/// ```
pub trait Integer: Copy + sealed::Sealed {
    /// The label as an `i128`, which holds every label of every type. See [`Integer`] for an example.
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
            /// The number of labels. See [`Labels`] for an example.
            #[must_use]
            pub const fn len(&self) -> usize {
                match self.0 {
                    $(Slice::$variant(labels) => labels.len(),)+
                }
            }

            /// The label of an example; `None` beyond the last. See [`Labels`] for an example.
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
    /// Whether there is no label.
    ///
    /// ```
    /// assert!(topk_loss_batch::Labels::from(&[0_u32; 0]).is_empty());
    /// ```
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
