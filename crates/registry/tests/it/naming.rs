//! Names that stand for other names: Docker Hub's official images.

use metadata::RepositorySettings;

use crate::world::{World, repository};

async fn name(world: &World, name: &str) -> Option<String> {
    let found = world.registry.repository_name(&world.caller, &repository(name), None).await;
    found.unwrap().map(|name| name.to_string())
}

#[tokio::test]
async fn an_official_image_is_one_repository_unless_somebody_made_another() {
    let world = World::with_hub().await;
    world.rule("docker-hub", |rule| rule.upstream_registry_url = "docker.io".to_owned()).await;
    let whole = Some("docker-hub/library/nginx".to_owned());
    for _ in ["looked up", "remembered"] {
        assert_eq!(name(&world, "docker-hub/nginx").await, whole);
    }
    assert_eq!(name(&world, "docker-hub/library/nginx").await, None);
    assert_eq!(name(&world, "hub/nginx").await, None);

    let made = repository("docker-hub/nginx");
    let settings = RepositorySettings::default();
    world.registry.create_repository(&world.caller, &made, settings).await.unwrap();
    assert_eq!(name(&world, "docker-hub/nginx").await, None);
}
