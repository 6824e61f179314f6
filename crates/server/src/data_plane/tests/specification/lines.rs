//! The table: a section of the specification, what it demands, a request, and what has to come.
//! Lines follow one another in one registry.

/// One demand.
pub(super) struct Line {
    /// The section of the specification.
    pub(super) section: &'static str,
    /// What it demands, in our words.
    pub(super) demand: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Headers; an empty one is left out.
    pub(super) with: &'static [(&'static str, &'static str)],
    pub(super) body: &'static str,
    /// The name that the digest of the body is known by from now on.
    pub(super) named: Option<&'static str>,
    pub(super) status: u16,
    /// What comes instead where ECR's rules hold.
    pub(super) strict: Option<u16>,
    pub(super) holds: &'static [Holds],
}

/// What has to hold of an answer.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    /// A header has this value.
    Header(&'static str, &'static str),
    /// There is no such header.
    NoHeader(&'static str),
    /// The body is this.
    Body(&'static str),
    /// The code of the error.
    Code(&'static str),
    /// The message of the error has these words.
    Says(&'static str),
    /// What the body has under a JSON pointer.
    Json(&'static str, &'static str),
    /// The body has nothing there.
    NoJson(&'static str),
    /// `Location` names an upload by a UUID; it is known by this name from now on.
    Upload(&'static str),
}

use Holds::{Body, Code, Header, Json, NoHeader, NoJson, Says, Upload};

fn line(
    section: &'static str,
    demand: &'static str,
    (method, path): (&'static str, &'static str),
    status: u16,
    holds: &'static [Holds],
) -> Line {
    let strict = None;
    Line { section, demand, method, path, with: &[], body: "", named: None, status, strict, holds }
}

impl Line {
    const fn with(self, with: &'static [(&'static str, &'static str)]) -> Self {
        Self { with, ..self }
    }

    const fn sends(self, body: &'static str) -> Self {
        Self { body, ..self }
    }

    const fn strictly(self, status: u16) -> Self {
        Self { strict: Some(status), ..self }
    }

    /// As a manifest of this type, whose digest has a name from now on.
    const fn manifest(
        self,
        named: &'static str,
        with: &'static [(&'static str, &'static str)],
        body: &'static str,
    ) -> Self {
        Self { named: Some(named), with, body, ..self }
    }
}

const MANIFEST: &[(&str, &str)] = &[("content-type", "application/vnd.oci.image.manifest.v1+json")];
const INDEX: &[(&str, &str)] = &[("content-type", "application/vnd.oci.image.index.v1+json")];

/// Every line, in order.
pub(super) fn all() -> Vec<Line> {
    [support(), pushing_blobs(), pushing_manifests(), pulling(), subjects(), tags(), deleting()]
        .into_iter()
        .flatten()
        .collect()
}

fn support() -> Vec<Line> {
    const SECTION: &str = "Determining Support";
    const ANONYMOUS: &[(&str, &str)] = &[("authorization", "")];
    vec![
        line(SECTION, "200 says that it is a registry", ("GET", "/v2/"), 200, &[]),
        line(SECTION, "without the slash too", ("GET", "/v2"), 200, &[]),
        line(SECTION, "HEAD is GET without a body", ("HEAD", "/v2/"), 200, &[Body("")]),
        line(
            SECTION,
            "401 asks for credentials, in the envelope",
            ("GET", "/v2/"),
            401,
            &[
                Code("UNAUTHORIZED"),
                Header(
                    "www-authenticate",
                    "Basic realm=\"http://127.0.0.1:5000/\",service=\"ecr.amazonaws.com\"",
                ),
            ],
        )
        .with(ANONYMOUS),
        line(
            "Error Codes",
            "what is no endpoint is told in the envelope",
            ("GET", "/v2/app/nothing"),
            404,
            &[Code("UNSUPPORTED")],
        ),
    ]
}

fn pushing_blobs() -> Vec<Line> {
    const AT_ONCE: &str = "Single POST";
    const CHUNKS: &str = "Pushing a blob in chunks";
    vec![
        line(
            AT_ONCE,
            "201, and where the blob is",
            ("POST", "/v2/app/blobs/uploads/?digest={config}"),
            201,
            &[
                Header("location", "/v2/app/blobs/{config}"),
                Header("docker-content-digest", "{config}"),
            ],
        )
        .sends("{}"),
        line(
            AT_ONCE,
            "it is pullable there",
            ("GET", "/v2/app/blobs/{config}"),
            200,
            &[Body("{}"), Header("docker-content-digest", "{config}")],
        ),
        line(
            AT_ONCE,
            "a digest that is none is refused",
            ("POST", "/v2/app/blobs/uploads/?digest=blake3:00"),
            400,
            &[Code("DIGEST_INVALID")],
        )
        .sends("{}"),
        line(
            AT_ONCE,
            "without bytes, and without their length, an upload begins",
            ("POST", "/v2/app/blobs/uploads/?digest={layer}"),
            202,
            &[Upload("given up")],
        )
        .with(&[("content-length", "")]),
        line(
            CHUNKS,
            "POST begins a session with a UUID; there is no shortest chunk",
            ("POST", "/v2/app/blobs/uploads/"),
            202,
            &[Upload("upload"), NoHeader("oci-chunk-min-length"), Header("content-length", "0")],
        ),
        line(
            CHUNKS,
            "the first chunk begins with byte 0, else 416 and where it stands",
            ("PATCH", "{upload}"),
            416,
            &[Code("BLOB_UPLOAD_INVALID"), Header("location", "{upload}"), Header("range", "0-0")],
        )
        .with(&[("content-range", "1-3")])
        .sends("abc"),
        line(
            CHUNKS,
            "202, Location and the last byte that came",
            ("PATCH", "{upload}"),
            202,
            &[Header("location", "{upload}"), Header("range", "0-2")],
        )
        .with(&[("content-range", "0-2"), ("content-type", "application/octet-stream")])
        .sends("abc"),
        line(
            CHUNKS,
            "a closing chunk out of order is 416, and closes nothing",
            ("PUT", "{upload}?digest={long}"),
            416,
            &[Code("BLOB_UPLOAD_INVALID"), Header("location", "{upload}"), Header("range", "0-2")],
        )
        .with(&[("content-range", "0-2")])
        .sends("def"),
        line(
            CHUNKS,
            "nor does one that is not as long as it says",
            ("PUT", "{upload}?digest={long}"),
            400,
            &[Code("SIZE_INVALID"), Header("range", "0-2")],
        )
        .with(&[("content-range", "3-9")])
        .sends("def"),
        line(
            CHUNKS,
            "closing takes the digest of the whole",
            ("PUT", "{upload}"),
            400,
            &[Code("DIGEST_INVALID")],
        ),
        line(
            CHUNKS,
            "GET says where an upload stands",
            ("GET", "{upload}"),
            204,
            &[Header("location", "{upload}"), Header("range", "0-2"), NoHeader("content-length")],
        ),
        line(
            CHUNKS,
            "HEAD too, as everywhere",
            ("HEAD", "{upload}"),
            204,
            &[Header("location", "{upload}"), Header("range", "0-2")],
        ),
        line(
            CHUNKS,
            "the last chunk may come with the closing PUT; sha512 is as good",
            ("PUT", "{upload}?digest={long}"),
            201,
            &[Header("location", "/v2/app/blobs/{long}")],
        )
        .with(&[("content-range", "3-5")])
        .sends("def"),
        line(
            CHUNKS,
            "the blob is pullable",
            ("GET", "/v2/app/blobs/{long}"),
            200,
            &[Body("abcdef"), Header("docker-content-digest", "{long}")],
        ),
        line(
            CHUNKS,
            "the session is over",
            ("GET", "{upload}"),
            404,
            &[Code("BLOB_UPLOAD_UNKNOWN")],
        ),
        line(
            "Cancel a blob upload (after 1.1)",
            "204, and it is gone",
            ("DELETE", "{given up}"),
            204,
            &[NoHeader("content-length")],
        ),
        line(
            "Cancel a blob upload (after 1.1)",
            "what is gone takes no chunk",
            ("PATCH", "{given up}"),
            404,
            &[Code("BLOB_UPLOAD_UNKNOWN")],
        )
        .sends("abc"),
        line(
            "Mounting a blob from another repository",
            "201, Location and digest",
            ("POST", "/v2/other/blobs/uploads/?mount={config}&from=app"),
            201,
            &[
                Header("location", "/v2/other/blobs/{config}"),
                Header("docker-content-digest", "{config}"),
            ],
        ),
    ]
}

/// Members that no version of the image specification has, an empty config, types that nobody
/// knows, and bytes in a descriptor.
const ARTIFACT: &str = r#"{ "schemaVersion":2, "mediaType":"application/vnd.oci.image.manifest.v1+json",
  "artifactType":"application/vnd.example.thing", "x-unknown":{"a":[1]},
  "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2,
    "data":"e30=","x-unknown":null},
  "layers":[{"mediaType":"example/unknown","digest":"{config}","size":2,"urls":["https://e/"]}] }"#;
const NO_LAYERS: &str = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2},"layers":[]}"#;
const NULL_LAYERS: &str = r#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"{config}","size":2},"layers":null}"#;
const NOT_DISTRIBUTED: &str = r#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"{config}","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip","digest":"{absent}","size":7}]}"#;
const DOCKER: &str = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"{config}","size":2},"layers":[]} "#;
const LAYERED: &str = r#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"{config}","size":2},"layers":[{"mediaType":"a/b","digest":"{long}","size":6}]}"#;
const EMPTY_INDEX: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
const NESTED: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"{empty index}","size":88}]}"#;
const SPARSE: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"example/unknown","digest":"{long}","size":6},{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{absent}","size":6}]}"#;

const SIZELESS: &str = r#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"{config}"}}"#;
const BLAKE3: &str =
    r#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"blake3:00","size":2}}"#;

fn pushing_manifests() -> Vec<Line> {
    const SECTION: &str = "Pushing Manifests";
    const CONDITIONAL: &str = "Pushing Manifests with Subject: conditional requests";
    const NEW: &[(&str, &str)] = &[("if-none-match", "*")];
    const FROM_ARTIFACT: &[(&str, &str)] = &[("if-match", "\"{artifact}\"")];
    const UNTYPED: &[(&str, &str)] = &[];
    const OF_DOCKER: &[(&str, &str)] =
        &[("content-type", "application/vnd.docker.distribution.manifest.v2+json; x=y")];
    const PUT: &str = "PUT";
    vec![
        line(
            SECTION,
            "unknown members and types are nobody's error",
            (PUT, "/v2/app/manifests/artifact"),
            201,
            &[
                Header("location", "/v2/app/manifests/{artifact}"),
                Header("docker-content-digest", "{artifact}"),
                NoHeader("oci-subject"),
            ],
        )
        .manifest("artifact", MANIFEST, ARTIFACT),
        line(
            SECTION,
            "byte for byte",
            ("GET", "/v2/app/manifests/{artifact}"),
            200,
            &[Body(ARTIFACT), Header("content-type", "application/vnd.oci.image.manifest.v1+json")],
        ),
        line(SECTION, "layers may be none", (PUT, "/v2/app/manifests/{no layers}"), 201, &[])
            .manifest("no layers", MANIFEST, NO_LAYERS),
        line(SECTION, "as Go writes none", (PUT, "/v2/app/manifests/{null layers}"), 201, &[])
            .manifest("null layers", MANIFEST, NULL_LAYERS),
        line(
            SECTION,
            "layers that are not distributed need not be here",
            (PUT, "/v2/app/manifests/not-distributed"),
            201,
            &[],
        )
        .manifest("not distributed", MANIFEST, NOT_DISTRIBUTED),
        line(
            SECTION,
            "without a type it is what it looks like",
            (PUT, "/v2/app/manifests/untyped"),
            201,
            &[],
        )
        .manifest("untyped", UNTYPED, NO_LAYERS),
        line(SECTION, "parameters of the type are ignored", (PUT, "/v2/app/manifests/d"), 201, &[])
            .manifest("docker", OF_DOCKER, DOCKER),
        line(
            "Pulling manifests",
            "the type is that of the push, without parameters",
            ("GET", "/v2/app/manifests/d"),
            200,
            &[
                Header("content-type", "application/vnd.docker.distribution.manifest.v2+json"),
                Body(DOCKER),
            ],
        ),
        line(SECTION, "an index may be empty", (PUT, "/v2/app/manifests/{empty index}"), 201, &[])
            .manifest("empty index", INDEX, EMPTY_INDEX),
        line(SECTION, "an index may name an index", (PUT, "/v2/app/manifests/nested"), 201, &[])
            .manifest("nested", INDEX, NESTED),
        line(
            SECTION,
            "and what is not here, or of a type that nobody knows; not so by ECR's rules",
            (PUT, "/v2/app/manifests/{sparse}"),
            201,
            &[],
        )
        .manifest("sparse", INDEX, SPARSE)
        .strictly(404),
        line(
            "Push",
            "blobs of another repository are unknown, and named",
            (PUT, "/v2/other/manifests/1"),
            404,
            &[Code("MANIFEST_BLOB_UNKNOWN"), Json("/errors/0/detail/digests", r#"["{long}"]"#)],
        )
        .manifest("layered", MANIFEST, LAYERED),
        line(
            SECTION,
            "a reference is a tag or a digest",
            (PUT, "/v2/app/manifests/blake3:00"),
            400,
            &[Code("DIGEST_INVALID")],
        )
        .manifest("refused", MANIFEST, NO_LAYERS),
        line(
            CONDITIONAL,
            "a tag that is there is not made anew",
            (PUT, "/v2/app/manifests/d"),
            412,
            &[Code("TAG_INVALID"), Json("/errors/0/detail/digest", r#""{docker}""#)],
        )
        .manifest("no layers", NEW, NO_LAYERS),
        line(
            CONDITIONAL,
            "nor moved where it names something else than is thought",
            (PUT, "/v2/app/manifests/d"),
            412,
            &[Code("TAG_INVALID")],
        )
        .manifest("no layers", FROM_ARTIFACT, NO_LAYERS),
        line(
            CONDITIONAL,
            "one that is not there is not moved at all",
            (PUT, "/v2/app/manifests/new"),
            412,
            &[Code("TAG_INVALID"), Json("/errors/0/detail/digest", "null")],
        )
        .manifest("no layers", FROM_ARTIFACT, NO_LAYERS),
        line(CONDITIONAL, "it is moved", (PUT, "/v2/app/manifests/artifact"), 201, &[]).manifest(
            "no layers",
            FROM_ARTIFACT,
            NO_LAYERS,
        ),
        line(CONDITIONAL, "a new one is made", (PUT, "/v2/app/manifests/z"), 201, &[]).manifest(
            "no layers",
            NEW,
            NO_LAYERS,
        ),
        line(
            SECTION,
            "what is wrong with a manifest is said",
            (PUT, "/v2/app/manifests/1"),
            400,
            &[Code("MANIFEST_INVALID"), Says("missing field `size`")],
        )
        .manifest("refused", MANIFEST, SIZELESS),
        line(
            SECTION,
            "a descriptor's digest has an algorithm that can be computed",
            (PUT, "/v2/app/manifests/1"),
            400,
            &[Code("MANIFEST_INVALID"), Says("unknown digest algorithm 'blake3'")],
        )
        .manifest("refused", MANIFEST, BLAKE3),
    ]
}

fn pulling() -> Vec<Line> {
    const MANIFESTS: &str = "Pulling manifests";
    const BLOBS: &str = "Pulling blobs";
    const CHECKING: &str = "Checking if content exists in the registry";
    vec![
        line(
            MANIFESTS,
            "what another repository has is not found in this one",
            ("GET", "/v2/other/manifests/{artifact}"),
            404,
            &[Code("MANIFEST_UNKNOWN")],
        ),
        line(
            MANIFESTS,
            "nor is what has a digest that is not computed here",
            ("GET", "/v2/app/manifests/sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564"),
            404,
            &[Code("MANIFEST_UNKNOWN")],
        ),
        line(
            BLOBS,
            "nor such a blob",
            ("GET", "/v2/app/blobs/blake3:00"),
            404,
            &[Code("BLOB_UNKNOWN")],
        ),
        line(
            BLOBS,
            "a repository that is not there has no blob",
            ("GET", "/v2/none/blobs/{config}"),
            404,
            &[Code("NAME_UNKNOWN")],
        ),
        line(
            BLOBS,
            "a range outside is 416 (RFC 9110), with a code of the table",
            ("GET", "/v2/app/blobs/{long}"),
            416,
            &[Code("SIZE_INVALID"), Header("content-range", "bytes */6")],
        )
        .with(&[("range", "bytes=6-")]),
        line(
            CHECKING,
            "a blob's size",
            ("HEAD", "/v2/app/blobs/{long}"),
            200,
            &[Header("content-length", "6"), Header("docker-content-digest", "{long}")],
        ),
        line(
            CHECKING,
            "a manifest's size",
            ("HEAD", "/v2/app/manifests/{empty index}"),
            200,
            &[Header("content-length", "88"), Header("docker-content-digest", "{empty index}")],
        ),
        line(CHECKING, "404 without a body", ("HEAD", "/v2/app/blobs/{absent}"), 404, &[]),
    ]
}

const SIGNATURE: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"","config":{"mediaType":"a/config","digest":"{config}","size":2},"layers":[],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{artifact}","size":9},"annotations":{"k":"v","empty":""}}"#;
const SIGNATURES: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{artifact}","size":9},"annotations":{"of":"an index"}}"#;
const SBOM_INDEX: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","artifactType":"a/sbom+json","manifests":[],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{absent}","size":9}}"#;

fn subjects() -> Vec<Line> {
    const PUSH: &str = "Pushing Manifests with Subject";
    const LIST: &str = "Listing Referrers";
    const LISTED: Holds = Header("content-type", "application/vnd.oci.image.index.v1+json");
    vec![
        line(
            PUSH,
            "the subject is told",
            ("PUT", "/v2/app/manifests/{signature}"),
            201,
            &[Header("oci-subject", "{artifact}")],
        )
        .manifest("signature", MANIFEST, SIGNATURE),
        line(
            LIST,
            "the type of the config stands for a missing artifact type; annotations are whole",
            ("GET", "/v2/app/referrers/{artifact}"),
            200,
            &[
                LISTED,
                Json("/schemaVersion", "2"),
                Json("/mediaType", r#""application/vnd.oci.image.index.v1+json""#),
                Json("/manifests/0/artifactType", r#""a/config""#),
                Json("/manifests/0/digest", r#""{signature}""#),
                Json("/manifests/0/annotations", r#"{"k":"v","empty":""}"#),
                NoJson("/manifests/1"),
            ],
        ),
        line(
            LIST,
            "but not where the subject is in another repository",
            ("GET", "/v2/other/referrers/{artifact}"),
            200,
            &[LISTED, Json("/manifests", "[]")],
        ),
        line(PUSH, "deleting a referrer", ("DELETE", "/v2/app/manifests/{signature}"), 202, &[]),
        line(
            PUSH,
            "of an index too",
            ("PUT", "/v2/app/manifests/signatures"),
            201,
            &[Header("oci-subject", "{artifact}")],
        )
        .manifest("signatures", INDEX, SIGNATURES),
        line(
            LIST,
            "an index without an artifact type has none",
            ("GET", "/v2/app/referrers/{artifact}"),
            200,
            &[
                Json("/manifests/0/digest", r#""{signatures}""#),
                Json("/manifests/0/mediaType", r#""application/vnd.oci.image.index.v1+json""#),
                Json("/manifests/0/annotations", r#"{"of":"an index"}"#),
                NoJson("/manifests/0/artifactType"),
                NoJson("/manifests/1"),
            ],
        ),
        line(
            PUSH,
            "the subject may be missing",
            ("PUT", "/v2/app/manifests/sbom"),
            201,
            &[Header("oci-subject", "{absent}")],
        )
        .manifest("sbom", INDEX, SBOM_INDEX),
        line(
            LIST,
            "a filter is applied and named",
            ("GET", "/v2/app/referrers/{absent}?artifactType=a/sbom%2Bjson"),
            200,
            &[
                LISTED,
                Header("oci-filters-applied", "artifactType"),
                Json("/manifests/0/artifactType", r#""a/sbom+json""#),
                Json("/manifests/0/digest", r#""{sbom}""#),
            ],
        ),
        line(
            LIST,
            "what it leaves is an empty list",
            ("GET", "/v2/app/referrers/{absent}?artifactType=other"),
            200,
            &[Header("oci-filters-applied", "artifactType"), Json("/manifests", "[]")],
        ),
        line(LIST, "HEAD has no body", ("HEAD", "/v2/app/referrers/{absent}"), 200, &[LISTED]),
        line(
            LIST,
            "a repository that is not there has no referrers, which is no 404",
            ("GET", "/v2/none/referrers/{artifact}"),
            200,
            &[LISTED, Json("/manifests", "[]"), NoHeader("oci-filters-applied")],
        ),
        line(
            LIST,
            "a tag is 400",
            ("GET", "/v2/app/referrers/artifact"),
            400,
            &[Code("DIGEST_INVALID")],
        ),
        line(LIST, "nothing is 400", ("GET", "/v2/app/referrers/"), 400, &[]),
        line(LIST, "too few digits", ("GET", "/v2/app/referrers/sha256:0"), 400, &[]),
        line(LIST, "too many", ("GET", "/v2/app/referrers/sha256:{digits}"), 400, &[]),
        line(LIST, "an unknown algorithm", ("GET", "/v2/app/referrers/blake3:00"), 400, &[]),
        line(
            LIST,
            "a bad name",
            ("GET", "/v2/App/referrers/{artifact}"),
            400,
            &[Code("NAME_INVALID")],
        ),
        line(LIST, "the subject goes", ("DELETE", "/v2/app/manifests/{artifact}"), 202, &[]),
        line(
            LIST,
            "what refers to it stays",
            ("GET", "/v2/app/referrers/{artifact}"),
            200,
            &[Json("/manifests/0/digest", r#""{signatures}""#)],
        ),
    ]
}

fn tags() -> Vec<Line> {
    const SECTION: &str = "Listing Tags";
    vec![
        line(
            SECTION,
            "200, name and tags",
            ("GET", "/v2/app/tags/list?n=2"),
            200,
            &[
                Json("", r#"{"name":"app","tags":["artifact","d"]}"#),
                Header("link", "</v2/app/tags/list?n=2&last=d>; rel=\"next\""),
            ],
        ),
        line(
            SECTION,
            "last need not be a tag that is there, and is case-insensitive",
            ("GET", "/v2/app/tags/list?last=NESTED0&n=1"),
            200,
            &[Json("/tags", r#"["not-distributed"]"#)],
        ),
        line(
            SECTION,
            "none for zero, and no Link",
            ("GET", "/v2/app/tags/list?n=0"),
            200,
            &[Json("/tags", "[]"), NoHeader("link")],
        ),
        line(SECTION, "HEAD has no body", ("HEAD", "/v2/app/tags/list"), 200, &[Body("")]),
    ]
}

fn deleting() -> Vec<Line> {
    const TAGS: &str = "Deleting tags";
    const MANIFESTS: &str = "Deleting Manifests";
    const BLOBS: &str = "Deleting Blobs";
    vec![
        line(TAGS, "202 without a body", ("DELETE", "/v2/app/manifests/d"), 202, &[Body("")]),
        line(
            TAGS,
            "then it is 404",
            ("GET", "/v2/app/manifests/d"),
            404,
            &[Code("MANIFEST_UNKNOWN")],
        ),
        line(TAGS, "the manifest stays", ("GET", "/v2/app/manifests/{docker}"), 200, &[]),
        line(
            TAGS,
            "one that is not there",
            ("DELETE", "/v2/app/manifests/d"),
            404,
            &[Code("MANIFEST_UNKNOWN")],
        ),
        line(TAGS, "one that cannot be", ("DELETE", "/v2/app/manifests/.d"), 404, &[]),
        line(MANIFESTS, "202 by digest", ("DELETE", "/v2/app/manifests/{nested}"), 202, &[]),
        line(MANIFESTS, "its tags are gone", ("HEAD", "/v2/app/manifests/nested"), 404, &[]),
        line(
            MANIFESTS,
            "what it named stays",
            ("HEAD", "/v2/app/manifests/{empty index}"),
            200,
            &[],
        ),
        line(
            MANIFESTS,
            "a repository that is not there",
            ("DELETE", "/v2/none/manifests/{empty index}"),
            404,
            &[Code("NAME_UNKNOWN")],
        ),
        line(
            MANIFESTS,
            "a digest that is none",
            ("DELETE", "/v2/app/manifests/sha256:0"),
            400,
            &[Code("DIGEST_INVALID")],
        ),
        line(BLOBS, "202", ("DELETE", "/v2/other/blobs/{config}"), 202, &[]),
        line(
            BLOBS,
            "then it is 404",
            ("GET", "/v2/other/blobs/{config}"),
            404,
            &[Code("BLOB_UNKNOWN")],
        ),
        line(BLOBS, "here alone", ("GET", "/v2/app/blobs/{config}"), 200, &[Body("{}")]),
        line(
            BLOBS,
            "what is not there",
            ("DELETE", "/v2/app/blobs/{absent}"),
            404,
            &[Code("BLOB_UNKNOWN")],
        ),
        line(
            BLOBS,
            "by an unknown digest",
            ("DELETE", "/v2/app/blobs/blake3:00"),
            404,
            &[Code("BLOB_UNKNOWN")],
        ),
        line(
            "Error Codes",
            "another method is 405, in the envelope",
            ("PUT", "/v2/app/tags/list"),
            405,
            &[Code("UNSUPPORTED"), Header("allow", "GET, HEAD")],
        ),
    ]
}
