//! Text as a feature vector, by the hashing trick: words, pairs of words, and letters in threes.

/// The length of a feature vector.
pub const DIM: usize = 2048;

/// Adds the signed counts of the hashed tokens of `text` to `features`, a zero vector, and scales it to unit length.
///
/// A text without letters or digits, of whatever script, leaves the zero vector.
///
/// Weinberger, Dasgupta, Langford, Smola, Attenberg, "Feature hashing for large scale multitask learning", ICML 2009.
pub fn hash_features(text: &str, features: &mut [f32]) {
    for_each_token(text, |token| {
        let hash = fnv1a(token);
        features[hash as usize % DIM] += if hash >> 31 == 0 { 1.0 } else { -1.0 };
    });
    let norm = features.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > 0.0 {
        features.iter_mut().for_each(|x| *x /= norm);
    }
}

/// Whether a text has anything to hash.
pub fn has_token(text: &str) -> bool {
    text.contains(char::is_alphanumeric)
}

/// Tokens: "w" and a word; "b", a word, a space and the next word; "c" and three characters of "<word>"; "p" and two characters of a
/// word that is not ASCII.
///
/// A word is a run of letters and digits. Where a script puts no spaces between words it is a whole phrase, which its pairs of characters
/// tell best.
fn for_each_token(text: &str, mut visit: impl FnMut(&[u8])) {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    for word in &words {
        visit(format!("w{word}").as_bytes());
        for_each_run(&format!("<{word}>"), 3, |trigram| visit(format!("c{trigram}").as_bytes()));
        if !word.is_ascii() {
            for_each_run(word, 2, |pair| visit(format!("p{pair}").as_bytes()));
        }
    }
    for pair in words.windows(2) {
        visit(format!("b{}", pair.join(" ")).as_bytes());
    }
}

/// Every `count` consecutive characters.
fn for_each_run(text: &str, count: usize, visit: impl FnMut(&str)) {
    let starts: Vec<usize> = text.char_indices().map(|(start, _)| start).chain([text.len()]).collect();
    starts.windows(count + 1).map(|starts| &text[starts[0]..starts[count]]).for_each(visit);
}

/// The 32-bit hash of Fowler, Noll and Vo, variant 1a.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::{DIM, fnv1a, for_each_token, hash_features};

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b"wcard"), 0x2479_a144);
    }

    #[test]
    fn tokens_are_words_pairs_and_trigrams() {
        let mut tokens = Vec::new();
        for_each_token("My  CARD?", |token| tokens.push(String::from_utf8(token.to_vec()).unwrap()));
        assert_eq!(tokens, ["wmy", "c<my", "cmy>", "wcard", "c<ca", "ccar", "card", "crd>", "bmy card"]);
    }

    #[test]
    fn letters_of_any_script_make_tokens() {
        let tokens = |text| {
            let mut tokens = Vec::new();
            for_each_token(text, |token| tokens.push(String::from_utf8(token.to_vec()).unwrap()));
            tokens
        };
        assert_eq!(tokens("Моя Я!"), ["wмоя", "c<мо", "cмоя", "cоя>", "pмо", "pоя", "wя", "c<я>", "bмоя я"]);
        assert_eq!(tokens("银行卡。"), ["w银行卡", "c<银行", "c银行卡", "c行卡>", "p银行", "p行卡"]);
        for text in ["карта", "कार्ड", "カード", "บัตร", "بطاقة", "卡"] {
            let mut features = vec![0.0; DIM];
            hash_features(text, &mut features);
            assert!((features.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-6, "{text}");
        }
    }

    #[test]
    fn features_have_unit_length_where_there_is_a_word() {
        let mut features = vec![0.0; DIM];
        hash_features("¿?", &mut features);
        assert!(features.iter().all(|&x| x == 0.0));
        hash_features("my card, my card", &mut features);
        assert!((features.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-6);
    }
}
