use super::*;

fn body<'a>(message: &'a str, numbers: &[u32]) -> Option<&'a str> {
    let root = Part::parse(message.as_bytes());
    let range = root.find(numbers.iter().copied())?.body.clone();
    message.get(range)
}

#[test]
fn parts_end_before_the_line_end_that_belongs_to_the_boundary() {
    let message = "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\none\r\n\r\n--b  \r\nX: y\r\n\r\n--bx\r\n--b--\r\nepilogue\r\n--b\r\n\r\nno part\r\n";
    assert_eq!(body(message, &[1]), Some("one\r\n"));
    assert_eq!(body(message, &[2]), Some("--bx"));
    assert_eq!(body(message, &[3]), None);
    assert_eq!(body(message, &[0]), None);
}

#[test]
fn bare_line_feeds_work_too() {
    let message = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo";
    assert_eq!(body(message, &[1]), Some("one"));
    assert_eq!(body(message, &[2]), Some("two"));
}

#[test]
fn a_digest_holds_messages() {
    let message = "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: in\r\n\r\ntext\r\n--b--\r\n";
    assert_eq!(body(message, &[1]), Some("Subject: in\r\n\r\ntext"));
    assert_eq!(body(message, &[1, 1]), Some("text"));
    assert_eq!(body(message, &[1, 2]), None);
}

#[test]
fn an_outer_boundary_ends_an_unclosed_inner_part() {
    let message = "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\na\r\n--o\r\n\r\nb\r\n--o--\r\n";
    assert_eq!(body(message, &[1, 1]), Some("a"));
    assert_eq!(body(message, &[2]), Some("b"));
}

#[test]
fn a_message_that_is_itself_a_message() {
    let message = "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ntext";
    assert_eq!(body(message, &[1]), Some("Subject: in\r\n\r\ntext"));
    assert_eq!(body(message, &[1, 1]), Some("text"));
    assert_eq!(body(message, &[1, 1, 1]), None);
    assert_eq!(body(message, &[2]), None);
}

#[test]
fn structure_has_a_floor_and_a_ceiling() {
    let mut deep = String::new();
    for level in 0..100 {
        deep.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
        ));
    }
    assert!(body(&deep, &[1; 32]).is_some());
    assert!(body(&deep, &[1; 34]).is_none());
    let wide = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\n\r\nx\r\n".repeat(10_000)
    );
    assert!(body(&wide, &[2_000]).is_some());
    assert!(body(&wide, &[2_001]).is_none());
}

#[test]
fn parameters() {
    let read = parameterised(b" text/plain (old); charset = \"utf-8\" ; name=\"a;\\\"b\\\"\";\r\n\tfilename*0*=x%20 ; =; bad");
    assert_eq!(read.value, b"text/plain");
    assert_eq!(read.parameter("CHARSET"), Some(b"utf-8".as_slice()));
    assert_eq!(read.parameter("name"), Some(b"a;\"b\"".as_slice()));
    assert_eq!(read.parameter("filename*0*"), Some(b"x%20".as_slice()));
    assert_eq!(read.parameters.len(), 3);
}
