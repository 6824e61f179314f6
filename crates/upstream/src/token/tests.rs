//! Tokens are kept, shared and refreshed once.

use std::sync::atomic::AtomicUsize;

use super::*;

fn key() -> TokenKey {
    let url = Url::parse("https://quay.io/").unwrap();
    TokenKey {
        origin: url.clone(),
        identity: Identity::anonymous(),
        realm: url,
        service: None,
        scope: None,
    }
}

fn token(text: &str) -> Token {
    Token::new(text, Duration::from_secs(100)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_token_is_used_until_shortly_before_it_expires() {
    let tokens = Tokens::default();
    let count = AtomicUsize::new(0);
    let get = |refused: Option<HeaderValue>| {
        let (tokens, count) = (&tokens, &count);
        async move {
            let fetch =
                || async { Ok(token(&format!("t{}", count.fetch_add(1, Ordering::SeqCst)))) };
            tokens.get(&key(), refused.as_ref(), fetch).await.unwrap().authorization
        }
    };
    assert_eq!(get(None).await, "Bearer t0");
    tokio::time::advance(Duration::from_secs(89)).await;
    assert_eq!(get(None).await, "Bearer t0");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(get(None).await, "Bearer t1");
    let refused = HeaderValue::from_static("Bearer t1");
    assert_eq!(get(Some(refused.clone())).await, "Bearer t2");
    // Who was refused the old one meanwhile takes the new one.
    assert_eq!(get(Some(refused)).await, "Bearer t2");
}

#[tokio::test]
async fn who_waits_shares_a_failure_and_who_comes_later_tries_again() {
    let tokens = Tokens::default();
    let (started, release) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    let key = key();
    let slow = tokens.get(&key, None, || async {
        started.notify_one();
        release.notified().await;
        Err(Error::Status { host: "quay.io".into(), status: 503, retry_after: None })
    });
    let waiting = async {
        started.notified().await;
        let unreached = || async { unreachable!("somebody else is fetching") };
        let waiting = tokens.get(&key, None, unreached);
        let release = async { release.notify_one() };
        tokio::join!(biased; waiting, release).0
    };
    let (first, second) = tokio::join!(slow, waiting);
    assert!(matches!(first, Err(Error::Status { status: 503, .. })));
    assert!(matches!(second, Err(Error::Status { status: 503, .. })));
    let later = tokens.get(&key, None, || async { Ok(token("late")) }).await.unwrap();
    assert_eq!(later.authorization(), "Bearer late");
}

#[test]
fn a_token_that_cannot_be_sent_is_none() {
    assert!(Token::new("a\nb", Duration::ZERO).is_none());
}
