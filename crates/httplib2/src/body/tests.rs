use std::{fs, io::Cursor};

use super::*;

async fn text(body: Body) -> String {
    String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn temp_file(name: &str, content: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("httplib2-body-{}-{name}", std::process::id()));
    fs::write(&path, content).unwrap();
    path
}

#[tokio::test]
async fn bytes_and_text_can_be_sent_again() {
    for body in [Body::from("text"), Body::from("text".to_owned()), Body::from(b"text".to_vec())] {
        assert_eq!(body.size_hint().exact(), Some(4));
        let spare = body.try_clone().unwrap();
        assert_eq!(text(body).await, "text");
        assert_eq!(text(spare).await, "text");
    }
}

#[test]
fn the_empty_body_has_an_end_from_the_start() {
    for body in [Body::empty(), Body::from(""), Body::wrap(http_body_util::Empty::new())] {
        assert!(body.is_end_stream());
        assert!(body.try_clone().is_some());
    }
}

#[tokio::test]
async fn readers_iterators_and_streams_are_sent_once() {
    let stream = futures_util::stream::iter([Ok::<_, io::Error>("te"), Ok("xt")]);
    for body in [Body::reader(Cursor::new("text")), Body::chunks(["te", "xt"]), Body::stream(stream)] {
        assert_eq!(body.size_hint().exact(), None);
        assert!(body.try_clone().is_none());
        assert_eq!(text(body).await, "text");
    }
}

#[tokio::test]
async fn a_recorded_body_can_be_sent_again_up_to_its_limit() {
    let body = Body::chunks(["te", "xt"]).recorded(200);
    let spare = body.try_clone().unwrap();
    assert_eq!(text(body).await, "text");
    assert!(spare.is_whole());
    assert_eq!(text(spare).await, "text");

    let body = Body::chunks(["te", "xt"]).recorded(3);
    let spare = body.try_clone().unwrap();
    assert_eq!(text(body).await, "text");
    assert!(!spare.is_whole());
}

#[tokio::test]
async fn a_factory_makes_the_body_only_when_it_is_sent() {
    let made = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let body = Body::factory(move || {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Body::chunks(["te", "xt"])
    });
    let spare = body.try_clone().unwrap();
    assert_eq!(text(body).await, "text");
    assert_eq!(made.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(text(spare).await, "text");
    assert_eq!(made.load(std::sync::atomic::Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_file_is_sent_with_its_length_and_can_be_sent_again() {
    let path = temp_file("whole", "text");
    let body = Body::file(&path).unwrap();
    assert_eq!(body.size_hint().exact(), Some(4));
    let spare = body.try_clone().unwrap();
    assert_eq!(spare.size_hint().exact(), Some(4));
    assert_eq!(text(body).await, "text");
    fs::write(&path, "text and more").unwrap();
    assert_eq!(text(spare).await, "text");
    fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_file_that_became_shorter_is_an_error() {
    let path = temp_file("short", "text");
    let body = Body::file(&path).unwrap();
    fs::write(&path, "te").unwrap();
    assert!(body.collect().await.is_err());
    fs::remove_file(path).unwrap();
}

#[test]
fn a_missing_file_is_an_error_at_once() {
    assert_eq!(Body::file("/nowhere/at/all").unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(Body::file(std::env::temp_dir()).is_err());
}

#[tokio::test]
async fn a_reader_that_fails_or_panics_is_an_error() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
    }
    struct Panics;
    impl Read for Panics {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("the reader's own fault")
        }
    }
    assert!(Body::reader(Fails).collect().await.is_err());
    assert!(Body::reader(Panics).collect().await.is_err());
}
