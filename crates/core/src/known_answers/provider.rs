//! What goes to each preset's authority, to the letter: written after the providers' documents, not
//! after this crate.

use super::Table;
use crate::authorization::{AuthorizationRequest, Nonce, State};
use crate::endpoint::Endpoint;
use crate::pkce::CodeVerifier;
use crate::provider::{AppOnly, CredentialKind, Endpoints, PRESETS, Provider};
use crate::token::{
    Assertion, AuthorizationCode, ClientAuthentication, ClientId, ClientSecret, GrantRequest,
    RefreshToken, TokenRequest,
};

pub(super) fn check(table: &mut Table) {
    table.equal(
        "presets with known answers",
        Ok::<_, ()>(ANSWERS.iter().map(|answers| answers.id).collect()),
        PRESETS.to_vec(),
    );
    for answers in &ANSWERS {
        let texts = [
            ("authorization URL", answers.url),
            ("code", answers.code),
            ("refresh", answers.refresh),
            ("app-only", answers.app_only),
        ];
        for ((what, expected), found) in texts.into_iter().zip(found(answers)) {
            table.equal(
                &format!("{}: {what}", answers.id),
                found,
                expected.to_owned(),
            );
        }
    }
}

struct Answers {
    id: &'static str,
    /// Of presets with discovery: as their documents have it.
    authorization_endpoint: &'static str,
    url: &'static str,
    code: &'static str,
    refresh: &'static str,
    /// Empty: there is no such flow.
    app_only: &'static str,
}

fn found(answers: &Answers) -> [Result<String, String>; 4] {
    match Requests::of(answers) {
        Ok(requests) => [
            Ok(requests.url()),
            Ok(requests.body(GrantRequest::AuthorizationCode {
                code: &requests.code,
                redirect_uri: REDIRECT_URI,
                code_verifier: &requests.verifier,
            })),
            Ok(requests.body(GrantRequest::RefreshToken {
                refresh_token: &requests.refresh_token,
                scope: requests
                    .provider
                    .refresh_names_scopes
                    .then_some(&requests.provider.scopes),
            })),
            Ok(requests.app_only()),
        ],
        Err(error) => [(); 4].map(|()| Err(error.clone())),
    }
}

struct Requests {
    provider: Provider,
    endpoint: Endpoint,
    client_id: ClientId,
    secret: ClientSecret,
    state: State,
    nonce: Nonce,
    verifier: CodeVerifier,
    code: AuthorizationCode,
    refresh_token: RefreshToken,
    assertion: Assertion,
}

impl Requests {
    fn of(answers: &Answers) -> Result<Self, String> {
        let text = |error: crate::InvalidValue| error.to_string();
        let provider = Provider::preset(answers.id).ok_or("no preset")?;
        let endpoint = match &provider.endpoints {
            Endpoints::Explicit {
                authorization_endpoint,
                ..
            } => authorization_endpoint.clone(),
            Endpoints::Discovery { .. } => {
                Endpoint::new(answers.authorization_endpoint).map_err(text)?
            }
        };
        Ok(Self {
            provider,
            endpoint,
            client_id: ClientId::new("client-1").map_err(text)?,
            secret: ClientSecret::new("a~b c").map_err(text)?,
            state: State::parse("s1").map_err(text)?,
            nonce: Nonce::parse("n1").map_err(text)?,
            verifier: CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
                .map_err(text)?,
            code: AuthorizationCode::new("c/1").map_err(text)?,
            refresh_token: RefreshToken::new("r/1").map_err(text)?,
            assertion: Assertion::new("aa.bb.cc").map_err(text)?,
        })
    }

    fn url(&self) -> String {
        let hint = Some("ada@example.com");
        let scopes = &self.provider.scopes;
        AuthorizationRequest {
            client_id: &self.client_id,
            redirect_uri: REDIRECT_URI,
            scopes,
            state: &self.state,
            nonce: scopes.contains("openid").then_some(&self.nonce),
            code_challenge: &self.verifier.challenge(),
            login_hint: hint,
            prompt: self.provider.prompt(hint, None).as_deref(),
            extra: &self.provider.authorization_parameters,
        }
        .url(&self.endpoint)
    }

    fn body(&self, grant: GrantRequest<'_>) -> String {
        let takes_secret = self
            .provider
            .check_credential(CredentialKind::Secret)
            .is_ok();
        self.send(
            if takes_secret {
                ClientAuthentication::SecretPost(&self.secret)
            } else {
                ClientAuthentication::None
            },
            grant,
        )
    }

    fn app_only(&self) -> String {
        match self.provider.app_only {
            AppOnly::None => String::new(),
            AppOnly::ClientCredentials => self.body(GrantRequest::ClientCredentials {
                scope: &self.provider.app_only_scopes,
            }),
            AppOnly::ServiceAccount => self.send(
                ClientAuthentication::None,
                GrantRequest::JwtBearer {
                    assertion: &self.assertion,
                    scope: None,
                },
            ),
        }
    }

    fn send(&self, authentication: ClientAuthentication<'_>, grant: GrantRequest<'_>) -> String {
        let request = TokenRequest {
            client_id: &self.client_id,
            authentication,
            grant,
        };
        request.body().to_string()
    }
}

const REDIRECT_URI: &str = "https://mail.example.com/oauth/callback";

const ANSWERS: [Answers; 12] = [
    Answers {
        id: "microsoft365",
        authorization_endpoint: "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize",
        url: "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &scope=openid+profile+email+offline_access+https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All\
            &state=s1&nonce=n1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=ada%40example.com",
        code: "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=client-1&client_secret=a%7Eb+c",
        refresh: "grant_type=refresh_token&refresh_token=r%2F1&scope=openid+profile+email+offline_access+https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All\
            &client_id=client-1&client_secret=a%7Eb+c",
        app_only: "grant_type=client_credentials&scope=https%3A%2F%2Foutlook.office365.com%2F.default&client_id=client-1&client_secret=a%7Eb+c",
    },
    Answers {
        id: "microsoft365-gcc-high",
        authorization_endpoint: "https://login.microsoftonline.us/organizations/oauth2/v2.0/authorize",
        url: "https://login.microsoftonline.us/organizations/oauth2/v2.0/authorize?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &scope=openid+profile+email+offline_access+https%3A%2F%2Foutlook.office365.us%2FIMAP.AccessAsUser.All\
            &state=s1&nonce=n1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=ada%40example.com",
        code: "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=client-1&client_secret=a%7Eb+c",
        refresh: "grant_type=refresh_token&refresh_token=r%2F1&scope=openid+profile+email+offline_access+https%3A%2F%2Foutlook.office365.us%2FIMAP.AccessAsUser.All\
            &client_id=client-1&client_secret=a%7Eb+c",
        app_only: "grant_type=client_credentials&scope=https%3A%2F%2Foutlook.office365.us%2F.default&client_id=client-1&client_secret=a%7Eb+c",
    },
    Answers {
        id: "microsoft365-dod",
        authorization_endpoint: "https://login.microsoftonline.us/organizations/oauth2/v2.0/authorize",
        url: "https://login.microsoftonline.us/organizations/oauth2/v2.0/authorize?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &scope=openid+profile+email+offline_access+https%3A%2F%2Foutlook.office365.us%2FIMAP.AccessAsUser.All\
            &state=s1&nonce=n1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=ada%40example.com",
        code: "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=client-1&client_secret=a%7Eb+c",
        refresh: "grant_type=refresh_token&refresh_token=r%2F1&scope=openid+profile+email+offline_access+https%3A%2F%2Foutlook.office365.us%2FIMAP.AccessAsUser.All\
            &client_id=client-1&client_secret=a%7Eb+c",
        app_only: "grant_type=client_credentials&scope=https%3A%2F%2Foutlook.office365.us%2F.default&client_id=client-1&client_secret=a%7Eb+c",
    },
    Answers {
        id: "microsoft365-china",
        authorization_endpoint: "https://login.partner.microsoftonline.cn/organizations/oauth2/v2.0/authorize",
        url: "https://login.partner.microsoftonline.cn/organizations/oauth2/v2.0/authorize?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &scope=openid+profile+email+offline_access+https%3A%2F%2Fpartner.outlook.cn%2FIMAP.AccessAsUser.All\
            &state=s1&nonce=n1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=ada%40example.com",
        code: "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=client-1&client_secret=a%7Eb+c",
        refresh: "grant_type=refresh_token&refresh_token=r%2F1&scope=openid+profile+email+offline_access+https%3A%2F%2Fpartner.outlook.cn%2FIMAP.AccessAsUser.All\
            &client_id=client-1&client_secret=a%7Eb+c",
        app_only: "grant_type=client_credentials&scope=https%3A%2F%2Fpartner.outlook.cn%2F.default&client_id=client-1&client_secret=a%7Eb+c",
    },
    Answers {
        id: "outlook",
        authorization_endpoint: "https://login.microsoftonline.com/consumers/oauth2/v2.0/authorize",
        url: "https://login.microsoftonline.com/consumers/oauth2/v2.0/authorize?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &scope=openid+profile+email+offline_access+https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All\
            &state=s1&nonce=n1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=ada%40example.com",
        code: "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=client-1&client_secret=a%7Eb+c",
        refresh: "grant_type=refresh_token&refresh_token=r%2F1&scope=openid+profile+email+offline_access+https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All\
            &client_id=client-1&client_secret=a%7Eb+c",
        app_only: "",
    },
    Answers {
        id: "google",
        authorization_endpoint: "https://accounts.google.com/o/oauth2/v2/auth",
        url: "https://accounts.google.com/o/oauth2/v2/auth?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &scope=openid+email+profile+https%3A%2F%2Fmail.google.com%2F\
            &state=s1&nonce=n1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=ada%40example.com&prompt=consent&access_type=offline",
        code: "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=client-1&client_secret=a%7Eb+c",
        refresh: "grant_type=refresh_token&refresh_token=r%2F1\
            &client_id=client-1&client_secret=a%7Eb+c",
        app_only: "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=aa.bb.cc",
    },
    Answers {
        id: "yahoo",
        authorization_endpoint: "https://api.login.yahoo.com/oauth2/request_auth",
        url: "https://api.login.yahoo.com/oauth2/request_auth?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &scope=mail-w\
            &state=s1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=ada%40example.com",
        code: "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=client-1&client_secret=a%7Eb+c",
        refresh: "grant_type=refresh_token&refresh_token=r%2F1\
            &client_id=client-1&client_secret=a%7Eb+c",
        app_only: "",
    },
    Answers {
        id: "aol",
        authorization_endpoint: "https://api.login.aol.com/oauth2/request_auth",
        url: "https://api.login.aol.com/oauth2/request_auth?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &scope=mail-w\
            &state=s1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=ada%40example.com",
        code: "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=client-1&client_secret=a%7Eb+c",
        refresh: "grant_type=refresh_token&refresh_token=r%2F1\
            &client_id=client-1&client_secret=a%7Eb+c",
        app_only: "",
    },
    Answers {
        id: "fastmail",
        authorization_endpoint: "https://api.fastmail.com/oauth/authorize",
        url: "https://api.fastmail.com/oauth/authorize?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &scope=https%3A%2F%2Fwww.fastmail.com%2Fdev%2Fprotocol-imap\
            &state=s1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=ada%40example.com",
        code: "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=client-1",
        refresh: "grant_type=refresh_token&refresh_token=r%2F1\
            &client_id=client-1",
        app_only: "",
    },
    Answers {
        id: "yandex",
        authorization_endpoint: "https://oauth.yandex.com/authorize",
        url: "https://oauth.yandex.com/authorize?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &scope=mail%3Aimap_full\
            &state=s1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=ada%40example.com&force_confirm=yes",
        code: "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=client-1&client_secret=a%7Eb+c",
        refresh: "grant_type=refresh_token&refresh_token=r%2F1\
            &client_id=client-1&client_secret=a%7Eb+c",
        app_only: "",
    },
    Answers {
        id: "mailru",
        authorization_endpoint: "https://o2.mail.ru/login",
        url: "https://o2.mail.ru/login?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &scope=userinfo+mail.imap\
            &state=s1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=ada%40example.com&prompt_force=1",
        code: "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=client-1&client_secret=a%7Eb+c",
        refresh: "grant_type=refresh_token&refresh_token=r%2F1\
            &client_id=client-1&client_secret=a%7Eb+c",
        app_only: "",
    },
    Answers {
        id: "comcast",
        authorization_endpoint: "https://oauth.xfinity.com/oauth/authorize",
        url: "https://oauth.xfinity.com/oauth/authorize?response_type=code&client_id=client-1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &scope=https%3A%2F%2Femail.comcast.net%2F\
            &state=s1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=ada%40example.com",
        code: "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=client-1&client_secret=a%7Eb+c",
        refresh: "grant_type=refresh_token&refresh_token=r%2F1\
            &client_id=client-1&client_secret=a%7Eb+c",
        app_only: "",
    },
];
