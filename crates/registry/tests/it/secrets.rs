//! Secrets: sealed where they lie, read by every name they have, removed with a way back.

use std::{fs, sync::Arc};

use metadata::{SecretId, SecretStore as _, SqliteMetadata};
use registry::{
    Caller, CreateSecret, DeleteSecret, Keyring, SecretError, SecretSelector, SecretValue,
    StartError,
};

use crate::world::{REGION, Setup, World, new_secret, root};

const DAY: i64 = 24 * 60 * 60 * 1000;
const TOKEN: &str = "00000000-0000-4000-8000-000000000001";

/// Reads the value in force, as text.
pub(crate) async fn value(
    world: &World,
    caller: &Caller,
    id: &str,
) -> Result<String, &'static str> {
    let selector = SecretSelector::default();
    match world.registry.secret_value(caller, id, &selector).await {
        Ok((_, _, value)) => Ok(value.as_text().unwrap_or("binary").to_owned()),
        Err(error) => Err(word(&error)),
    }
}

pub(crate) fn word(error: &SecretError) -> &'static str {
    match error {
        SecretError::Denied(_) => "denied",
        SecretError::NotFound { .. } => "not found",
        SecretError::VersionNotFound { .. } => "no such version",
        SecretError::AlreadyExists { .. } => "exists",
        SecretError::ScheduledForDeletion { .. } => "scheduled",
        SecretError::Invalid { field, .. } => field,
        SecretError::TokenInUse { .. } => "token in use",
        SecretError::LimitExceeded { what, .. } => what,
        SecretError::MalformedPolicy { .. } => "malformed",
        SecretError::PublicPolicy => "public",
        SecretError::Contended { .. } => "contended",
        SecretError::Unusable { .. } => "unusable",
        SecretError::Sealed { .. } => "sealed",
        _ => "another",
    }
}

async fn create(world: &World, create: CreateSecret) -> Result<String, &'static str> {
    let made = world.registry.create_secret(&world.caller, create).await;
    made.map(|view| view.arn).map_err(|error| word(&error))
}

#[tokio::test]
async fn a_value_lies_sealed_and_prints_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    let mut setup = Setup::new();
    let store = SqliteMetadata::open(directory.path().join("facts.db")).await.unwrap();
    setup.metadata = Arc::new(store.clone());
    let world = setup.world().await;
    let value = "correct-horse-battery-staple";
    let made = world.registry.create_secret(&world.caller, new_secret("hub", Some(value))).await;
    let selector = SecretSelector::default();
    let read = world.registry.secret_value(&world.caller, "hub", &selector).await.unwrap();
    assert_eq!(read.2.as_text(), Some(value));
    let printed = format!("{:?} {read:?}", made.unwrap());
    assert!(!printed.contains(value));
    drop(world);
    store.close().await;
    let mut bytes_seen = 0;
    for entry in fs::read_dir(directory.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        bytes_seen += bytes.len();
        assert!(!bytes.windows(value.len()).any(|window| window == value.as_bytes()));
    }
    assert!(bytes_seen > 0);
}

#[tokio::test]
async fn another_keyring_does_not_start_and_a_rotated_one_does() {
    let mut world = Setup::new().world().await;
    create(&world, new_secret("old", Some("value"))).await.unwrap();
    let old = Arc::clone(&world.setup.keyring);
    world.setup.keyring = Arc::new(Keyring::generate());
    let started = world.setup.try_start().await;
    assert!(matches!(started, Err(StartError::WrongKeyring)), "{started:?}");

    let rotated = format!("{}{}", *Keyring::generate().to_text(), *old.to_text());
    world.restart(|setup| setup.keyring = Arc::new(Keyring::parse(&rotated).unwrap())).await;
    assert_eq!(value(&world, &world.caller, "old").await.unwrap(), "value");
    create(&world, new_secret("new", Some("newer"))).await.unwrap();
    // What the new key sealed, the old one alone does not open.
    world.restart(|setup| setup.keyring = old).await;
    assert_eq!(value(&world, &world.caller, "old").await.unwrap(), "value");
    assert_eq!(value(&world, &world.caller, "new").await, Err("sealed"));
}

#[tokio::test]
async fn a_sealed_value_is_good_in_its_place_only() {
    let world = Setup::new().world().await;
    for name in ["mine", "yours"] {
        create(&world, new_secret(name, Some(name))).await.unwrap();
    }
    let (registry, now) = (&world.caller.registry, world.now());
    let find = async |name: &str| {
        world.metadata.secret(registry, &SecretId::Name(name.to_owned()), now).await.unwrap()
    };
    let (mine, yours) = (find("mine").await, find("yours").await);
    let mut forged = mine.clone();
    forged.versions[0].sealed_value = yours.versions[0].sealed_value.clone();
    world.metadata.replace_secret(registry, &mine, &forged).await.unwrap();
    assert_eq!(value(&world, &world.caller, "mine").await, Err("sealed"));
    assert_eq!(value(&world, &world.caller, "yours").await.unwrap(), "yours");
}

#[tokio::test]
async fn a_secret_is_found_by_name_and_by_arn_with_and_without_its_suffix() {
    let world = Setup::new().world().await;
    let arn = create(&world, new_secret("team/hub", Some("1"))).await.unwrap();
    // A name that looks as if it had a suffix.
    let odd = create(&world, new_secret("team/hub-abcdef", Some("2"))).await.unwrap();
    let cut = |arn: &str| arn.rsplit_once('-').unwrap().0.to_owned();
    let elsewhere = root("eu-west-1");
    let own = &world.caller;
    for (caller, id, expected) in [
        (own, "team/hub".to_owned(), Ok("1")),
        (own, arn.clone(), Ok("1")),
        (own, cut(&arn), Ok("1")),
        (own, "team/hub-abcdef".to_owned(), Ok("2")),
        (own, odd.clone(), Ok("2")),
        (own, cut(&odd), Ok("2")),
        (own, "hub".to_owned(), Err("not found")),
        (own, "Team/hub".to_owned(), Err("not found")),
        (own, format!("{}-AAAAAA", cut(&arn)), Err("not found")),
        (own, arn.replace(REGION, "eu-west-1"), Err("not found")),
        (own, arn.replace("000000000000", "111122223333"), Err("not found")),
        (own, "arn:aws:iam::000000000000:role/x".to_owned(), Err("not found")),
        (&elsewhere, arn, Err("not found")),
        (&elsewhere, "team/hub".to_owned(), Err("not found")),
    ] {
        let found = value(&world, caller, &id).await;
        assert_eq!(found.as_deref().map_err(|error| *error), expected, "{id}");
    }
}

#[tokio::test]
async fn versions_are_selected_by_id_and_by_stage() {
    let world = Setup::new().world().await;
    let with_token = CreateSecret {
        client_request_token: Some(TOKEN.to_owned()),
        ..new_secret("hub", Some("value"))
    };
    create(&world, with_token).await.unwrap();
    create(&world, new_secret("empty", None)).await.unwrap();
    for (name, version_id, stage, expected) in [
        ("hub", None, None, Ok("value")),
        ("hub", Some(TOKEN), None, Ok("value")),
        ("hub", None, Some("AWSCURRENT"), Ok("value")),
        ("hub", Some(TOKEN), Some("AWSCURRENT"), Ok("value")),
        ("hub", Some("another"), None, Err("no such version")),
        ("hub", None, Some("AWSPREVIOUS"), Err("no such version")),
        ("hub", Some(TOKEN), Some("AWSPREVIOUS"), Err("no such version")),
        ("hub", Some("another"), Some("AWSCURRENT"), Err("no such version")),
        ("empty", None, None, Err("no such version")),
    ] {
        let selector = SecretSelector {
            version_id: version_id.map(str::to_owned),
            stage: stage.map(str::to_owned),
        };
        let read = world.registry.secret_value(&world.caller, name, &selector).await;
        let read = read.map(|(_, version, value)| {
            assert_eq!(
                (version.version_id.as_str(), &*version.stages),
                (TOKEN, &["AWSCURRENT".to_owned()][..])
            );
            value.as_text().unwrap().to_owned()
        });
        let read = read.as_deref().map_err(word);
        assert_eq!(read, expected, "{name} {version_id:?} {stage:?}");
    }
}

#[tokio::test]
async fn the_same_request_again_is_no_error_and_another_is() {
    let world = Setup::new().world().await;
    let with = |token: Option<&str>, value: Option<&str>| CreateSecret {
        client_request_token: token.map(str::to_owned),
        ..new_secret("hub", value)
    };
    let arn = create(&world, with(Some(TOKEN), Some("value"))).await.unwrap();
    let other = TOKEN.replace('1', "2");
    for (token, value, expected) in [
        (Some(TOKEN), Some("value"), Ok(arn.clone())),
        (Some(TOKEN), Some("another"), Err("exists")),
        (Some(TOKEN), None, Err("exists")),
        (Some(other.as_str()), Some("value"), Err("exists")),
        (None, Some("value"), Err("exists")),
    ] {
        assert_eq!(create(&world, with(token, value)).await, expected, "{token:?} {value:?}");
    }
    let binary = CreateSecret {
        value: Some(SecretValue::Binary(b"value".to_vec().into())),
        ..with(Some(TOKEN), None)
    };
    assert_eq!(create(&world, binary.clone()).await, Err("exists"));
    let binary = CreateSecret { name: "binary".to_owned(), ..binary };
    create(&world, binary).await.unwrap();
    assert_eq!(value(&world, &world.caller, "binary").await.unwrap(), "binary");
}

#[tokio::test]
async fn what_is_wrong_with_a_secret_is_named() {
    let world = Setup::new().world().await;
    let token = |token: &str| CreateSecret {
        client_request_token: Some(token.to_owned()),
        ..new_secret("good", Some("x"))
    };
    for (create_secret, expected) in [
        (new_secret("", Some("x")), Some("Name")),
        (new_secret(&"n".repeat(513), Some("x")), Some("Name")),
        (new_secret("with space", Some("x")), Some("Name")),
        (new_secret("ümlaut", Some("x")), Some("Name")),
        (token("short"), Some("ClientRequestToken")),
        (token(&"t".repeat(65)), Some("ClientRequestToken")),
        (new_secret("large", Some(&"v".repeat(65_537))), Some("SecretString")),
        (new_secret(&"n".repeat(512), Some("x")), None),
        (new_secret("aZ09/_+=.@-", Some("x")), None),
        (new_secret("largest", Some(&"v".repeat(65_536))), None),
    ] {
        let name = create_secret.name.clone();
        assert_eq!(create(&world, create_secret).await.err(), expected, "{name}");
    }
}

#[tokio::test]
async fn a_removed_secret_is_unreadable_at_once_and_gone_after_its_window() {
    for (window, days) in [(None, 30), (Some(7), 7), (Some(30), 30)] {
        let world = Setup::new().world().await;
        let arn = create(&world, new_secret("hub", Some("value"))).await.unwrap();
        let delete = DeleteSecret { force: false, recovery_window_days: window };
        let deleted = world.registry.delete_secret(&world.caller, &arn, delete).await.unwrap();
        let after = metadata::Timestamp(world.now().0 + days * DAY);
        assert_eq!((deleted.arn.as_str(), deleted.secret.delete_after), (&*arn, Some(after)));

        let described = world.registry.describe_secret(&world.caller, "hub").await.unwrap();
        assert_eq!(described.secret.deleted_at, Some(world.now()));
        assert_eq!(value(&world, &world.caller, "hub").await, Err("scheduled"));
        assert_eq!(create(&world, new_secret("hub", Some("x"))).await, Err("scheduled"));
        let again = world.registry.delete_secret(&world.caller, "hub", delete).await;
        assert_eq!(again.map_err(|error| word(&error)).err(), Some("scheduled"));

        world.clock.advance(days * DAY - 1);
        assert_eq!(value(&world, &world.caller, "hub").await, Err("scheduled"));
        world.clock.advance(1);
        assert_eq!(value(&world, &world.caller, "hub").await, Err("not found"));
        let reborn = create(&world, new_secret("hub", Some("new"))).await.unwrap();
        assert_ne!(reborn, arn);
        assert_eq!(value(&world, &world.caller, &arn).await, Err("not found"));
        assert_eq!(value(&world, &world.caller, &reborn).await.unwrap(), "new");
    }
}

#[tokio::test]
async fn a_secret_removed_by_force_is_gone_at_once() {
    let world = Setup::new().world().await;
    create(&world, new_secret("hub", Some("value"))).await.unwrap();
    let delete = async |force, recovery_window_days| {
        let delete = DeleteSecret { force, recovery_window_days };
        let deleted = world.registry.delete_secret(&world.caller, "hub", delete).await;
        deleted.map(|view| view.secret.delete_after).map_err(|error| word(&error))
    };
    for (force, days) in [(false, Some(6)), (false, Some(31)), (true, Some(7)), (false, Some(-1))] {
        assert_eq!(delete(force, days).await, Err("RecoveryWindowInDays"), "{days:?}");
    }
    // One that is scheduled already can still be removed at once.
    delete(false, None).await.unwrap();
    assert_eq!(delete(true, None).await, Ok(Some(world.now())));
    assert_eq!(value(&world, &world.caller, "hub").await, Err("not found"));
    assert_eq!(delete(false, None).await, Err("not found"));
    create(&world, new_secret("hub", Some("new"))).await.unwrap();
}
