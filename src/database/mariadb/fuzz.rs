//! Properties of what a database server answers, for any bytes.

use super::guard::Session;

/// Whatever a server sends, at no moment is the client library given an answer that was not asked for: what passes
/// unasked is a fault. The first byte is the command.
pub fn database_answers(bytes: &[u8]) {
    let (&command, bytes) = bytes.split_first().unwrap_or((&3, &[]));
    let mut session = Session::new();
    let mut number = 0;
    for piece in bytes.split_inclusive(|&byte| byte == 0x80) {
        if session.answer(&mut piece.to_vec()).is_err() {
            return;
        }
        number = u8::saturating_add(number, 1);
        let mut asked = if number < 3 { vec![1, 0, 0, number, command] } else { vec![1, 0, 0, 0, command] };
        if session.request(&mut asked).is_err() {
            return;
        }
    }
}

crate::fuzz::held! { database_answers: any_answer_of_a_database_is_judged }
