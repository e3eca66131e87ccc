//! Errors as others see them: numbers and words.

use topk_loss::loss::SmoothTopKSvm;
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::{Error, Loss, TopKHinge};

/// Bindings and logs hold these numbers: none may ever change.
#[test]
fn codes_are_what_they_were() {
    let what = "scores";
    let codes = [
        (Error::Length { what, expected: 2, actual: 1 }, 1),
        (Error::K { k: 2, max: 1 }, 2),
        (Error::Label { label: 2, num_classes: 2 }, 3),
        (Error::Parameter { name: what, must: "positive" }, 4),
        (Error::NotFinite { what, index: 0 }, 5),
        (Error::Accuracy { what }, 6),
        (Error::Overflow { what }, 7),
    ];
    for (error, code) in codes {
        assert_eq!(error.code(), code, "{error:?}");
    }
}

/// The classes that a message asks for are enough, and one less is not.
#[test]
fn a_message_says_what_would_mend_it() {
    let words = |result: Result<f64, Error>| result.unwrap_err().to_string();
    let mut scratch = [0.0; 1000];
    let hinge = TopKHinge::new(5).unwrap();
    let expected = "k = 5 is above the largest possible, 2: take a smaller k, or 3 more classes";
    assert_eq!(words(hinge.value(&[0.0; 3], 0, &mut scratch)), expected);
    assert_eq!(words(SmoothTopKSvm::new(5, 1.0, 1.0).unwrap().value(&[0.0; 3], 0, &mut scratch)), expected);
    assert!(hinge.value(&[0.0; 5], 0, &mut scratch).is_err() && hinge.value(&[0.0; 6], 0, &mut scratch).is_ok());

    let kth = KthLargest::new(4).unwrap();
    assert_eq!(words(kth.value(&[0.0; 3], &mut scratch)), "k = 4 is above the largest possible, 3: take a smaller k, or 1 more class");
    assert!(kth.value(&[0.0; 4], &mut scratch).is_ok());
    assert_eq!(Error::K { k: 0, max: 3 }.to_string(), "k = 0 is below 1");
    assert_eq!(words(kth.value(&[0.0; 4], &mut [])), "scratch has length 0 where 4 is needed");
}
