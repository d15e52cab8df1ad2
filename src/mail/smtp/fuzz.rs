//! Properties of what a mail server answers, for any bytes.

use super::reply;

/// Of a line that is an answer the code counts; the rest is text.
pub fn mail_answers(bytes: &[u8]) {
    for line in bytes.split(|&byte| byte == b'\n') {
        if let Some(read) = reply::line(line) {
            assert!((200..600).contains(&read.code) && line.starts_with(read.code.to_string().as_bytes()));
            assert!(read.text.len() <= 3 * line.len());
        }
    }
}

crate::fuzz::held! { mail_answers: any_answer_of_a_mail_server_is_read }
