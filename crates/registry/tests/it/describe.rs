//! Listing what is cached.

use metadata::PageRequest;
use oci::Digest;
use registry::{DescribeError, ImageFilter, ListFilter, RepositoryFilter};

use crate::{
    images::push_image,
    world::{World, root},
};

/// A world with three repositories; `hub/b` has a tagged image and an untagged one.
async fn filled() -> (World, [Digest; 2]) {
    let world = World::with_hub().await;
    for name in ["c", "a"] {
        push_image(&world.upstream, name, Some("v1"), &[name]);
        world.pull(&format!("hub/{name}"), "v1").await.unwrap();
    }
    let tagged = push_image(&world.upstream, "b", Some("v1"), &["tagged"]);
    push_image(&world.upstream, "b", Some("v2"), &["tagged"]);
    let untagged = push_image(&world.upstream, "b", None, &["untagged"]);
    for reference in ["v1", "v2", untagged.digest.as_str()] {
        world.pull("hub/b", reference).await.unwrap();
    }
    (world, [tagged.digest, untagged.digest])
}

async fn repositories(
    world: &World,
    names: &[&str],
    page: PageRequest,
) -> Result<(Vec<String>, Option<String>), String> {
    let filter = RepositoryFilter { names: names.iter().map(ToString::to_string).collect() };
    match world.registry.describe_repositories(&world.caller, &filter, &page).await {
        Ok(found) => {
            Ok((found.items.into_iter().map(|item| item.name.to_string()).collect(), found.next))
        }
        Err(DescribeError::RepositoryNotFound { repository, .. }) => Err(repository),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn repositories_are_listed_by_name_in_pages() {
    let (world, _) = filled().await;
    let first = repositories(&world, &[], PageRequest::first(2)).await.unwrap();
    assert_eq!(first, (vec!["hub/a".to_owned(), "hub/b".to_owned()], Some("hub/b".to_owned())));
    let rest = PageRequest { after: first.1, limit: 2 };
    let rest = repositories(&world, &[], rest).await.unwrap();
    assert_eq!(rest, (vec!["hub/c".to_owned()], None));
    let named = repositories(&world, &["hub/c", "hub/a"], PageRequest::first(9)).await.unwrap();
    assert_eq!(named, (vec!["hub/c".to_owned(), "hub/a".to_owned()], None));
    for unknown in ["hub/d", "hub", "NOT A NAME", ""] {
        let found = repositories(&world, &["hub/a", unknown], PageRequest::first(9)).await;
        assert_eq!(found, Err(unknown.to_owned()));
    }
    let (elsewhere, filter) = (root("eu-west-1"), RepositoryFilter::default());
    let page = PageRequest::first(9);
    let found = world.registry.describe_repositories(&elsewhere, &filter, &page).await.unwrap();
    assert_eq!(found.items, []);
}

#[tokio::test]
async fn images_are_found_by_tag_by_digest_and_by_whether_they_have_a_tag() {
    let (world, [tagged, untagged]) = filled().await;
    let other = Digest::of(b"other");
    let find = async |images: &[(Option<&str>, Option<&Digest>)], with_tag| {
        let images = images
            .iter()
            .map(|(tag, digest)| (tag.map(str::to_owned), digest.map(ToString::to_string)))
            .collect();
        let like = ListFilter { tagged: with_tag, archived: None };
        let filter = ImageFilter { images, like };
        let page = PageRequest::first(9);
        match world.registry.describe_images(&world.caller, "hub/b", &filter, &page).await {
            Ok(found) => {
                let mut digests: Vec<_> =
                    found.items.into_iter().map(|image| image.manifest.digest).collect();
                digests.sort_by_key(|digest| *digest != tagged);
                Ok(digests)
            }
            Err(DescribeError::ImageNotFound { image, .. }) => Err(image),
            Err(other) => panic!("{other}"),
        }
    };
    let both = || Ok(vec![tagged.clone(), untagged.clone()]);
    let only = |digest: &Digest| Ok(vec![digest.clone()]);
    assert_eq!(find(&[], None).await, both());
    assert_eq!(find(&[], Some(true)).await, only(&tagged));
    assert_eq!(find(&[], Some(false)).await, only(&untagged));
    assert_eq!(find(&[(Some("v1"), None), (Some("v2"), None)], None).await, only(&tagged));
    assert_eq!(find(&[(None, Some(&untagged)), (Some("v1"), None)], None).await, both());
    assert_eq!(find(&[(Some("v2"), Some(&tagged))], None).await, only(&tagged));
    assert_eq!(find(&[(Some("v3"), None)], None).await, Err("v3".to_owned()));
    assert_eq!(find(&[(None, Some(&other))], None).await, Err(other.to_string()));
    let mixed = find(&[(Some("v1"), Some(&untagged))], None).await;
    assert_eq!(mixed, Err(untagged.to_string()));
    assert_eq!(find(&[(None, None)], None).await, Err(String::new()));

    let (filter, page) = (ImageFilter::default(), PageRequest::first(9));
    let unknown = world.registry.describe_images(&world.caller, "hub/d", &filter, &page).await;
    assert!(matches!(unknown, Err(DescribeError::RepositoryNotFound { .. })), "{unknown:?}");
}
