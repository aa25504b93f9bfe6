//! Who asks.

mod keystone;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use nephoscope_gnocchi::Creator;

use super::fault::Fault;
pub use keystone::Tokens;
pub(super) use keystone::authenticate;

/// Who a request comes from where everybody may do everything and it does not say.
const SOMEBODY: &str = "admin";
/// The user that is an administrator where users have no roles.
const ADMIN_USER: &str = "admin";
const ADMIN_ROLE: &str = "admin";

/// How it is found out who asks.
#[derive(Clone, Debug, Default)]
pub enum Auth {
    /// It is not: everybody may do everything. Who makes something is who they say they are, as in [`Basic`](Self::Basic)
    /// or by `X-User-Id` and `X-Project-Id`; the user `admin`, if they say nothing.
    #[default]
    None,
    /// They say so: the user of HTTP's basic authentication, whose password nobody looks at. `admin` may do everything.
    Basic,
    /// A proxy says so, which has asked them to log in, in this header. The proxy has to be the only way here, and has to
    /// overwrite what clients send. `admin` may do everything.
    RemoteUser(HeaderName),
    /// Keystone says so, of the token that they show.
    Keystone(Tokens),
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// As creators are written: `user:project`, or the user alone.
    pub(super) user: String,
    pub(super) user_id: Option<String>,
    pub(super) project_id: Option<String>,
    pub(super) domain_id: Option<String>,
    pub(super) roles: Vec<String>,
    /// Whether they stand above projects and domains, as users without either do.
    pub(super) of_system: bool,
}

impl Identity {
    /// As the creator of something.
    pub(super) fn creator(&self) -> Creator {
        match self.user.split_once(':') {
            Some((user, project)) => Creator { user_id: user.into(), project_id: Some(project.into()) },
            None => Creator { user_id: self.user.clone(), project_id: None },
        }
    }

    /// Whether they have a role, in whatever case.
    pub(super) fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|known| known.to_lowercase() == role.to_lowercase())
    }

    /// Whether this is known of them under this name. Who has no project is of none, not of that of things without one.
    pub(super) fn is_known_as(&self, name: &str, value: &str) -> bool {
        let known = match name {
            "user" => Some(self.user.as_str()),
            "user_id" => self.user_id.as_deref(),
            "project_id" => self.project_id.as_deref(),
            "domain_id" => self.domain_id.as_deref(),
            "system" => self.of_system.then_some("all"),
            "roles" => return self.roles.iter().any(|role| role == value),
            _ => None,
        };
        known.is_some_and(|known| !known.is_empty() && known == value)
    }

    fn named(user: String) -> Self {
        let roles = if user == ADMIN_USER { vec![ADMIN_ROLE.into()] } else { Vec::new() };
        Self { user, roles, of_system: true, ..Self::default() }
    }
}

impl Auth {
    /// [`RemoteUser`](Self::RemoteUser), if this is the name of a header.
    pub fn remote_user(header: &str) -> Option<Self> {
        header.parse().ok().map(Self::RemoteUser)
    }

    /// Whether users belong to projects, and see only those things in lists that are of theirs.
    pub(super) fn has_projects(&self) -> bool {
        match self {
            Self::None | Self::Basic | Self::RemoteUser(_) => false,
            Self::Keystone(_) => true,
        }
    }

    /// Who asks; a 401 where they have to say and do not, as those have not whom [`authenticate`] let in.
    pub(super) fn identify(&self, headers: &HeaderMap) -> Result<Identity, Fault> {
        let unknown = || Fault::bare(StatusCode::UNAUTHORIZED);
        match self {
            Self::None => {
                let user = basic_user(headers).or_else(|| user_and_project(headers));
                let user = user.unwrap_or_else(|| SOMEBODY.into());
                Ok(Identity { user, roles: vec![ADMIN_ROLE.into()], of_system: true, ..Identity::default() })
            }
            Self::Basic => basic_user(headers).map(Identity::named).ok_or_else(unknown),
            Self::RemoteUser(name) => {
                let mut users = headers.get_all(name).iter();
                // Where there are two, one may be the client's own.
                match (users.next().and_then(|user| user.to_str().ok()), users.next()) {
                    (Some(user), None) if !user.is_empty() => Ok(Identity::named(user.to_owned())),
                    _ => Err(unknown()),
                }
            }
            Self::Keystone(_) => Err(unknown()),
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
}

fn user_and_project(headers: &HeaderMap) -> Option<String> {
    let user = text(headers, "x-user-id")?;
    let project = text(headers, "x-project-id");
    Some(project.map_or_else(|| user.clone(), |project| format!("{user}:{project}")))
}

/// The user of HTTP's basic authentication.
fn basic_user(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = credentials.trim();
    let decoded = STANDARD.decode(credentials).or_else(|_| STANDARD_NO_PAD.decode(credentials)).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let user = decoded.split(':').next().unwrap_or_default();
    Some(user.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identify(auth: &Auth, headers: &[(&str, &str)]) -> Option<(String, bool)> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let identity = auth.identify(&map).ok()?;
        let admin = identity.roles == [ADMIN_ROLE];
        Some((identity.user, admin))
    }

    #[test]
    fn who_asks_is_found_where_each_way_has_it() {
        let proxy = Auth::RemoteUser(HeaderName::from_static("x-remote-user"));
        // foobar: and admin:secret
        let (foobar, admin) =
            (("Authorization", "basic Zm9vYmFyOg=="), ("Authorization", "Basic YWRtaW46c2VjcmV0"));
        let (user, project) = (("X-User-Id", "jd"), ("X-Project-Id", "nova"));
        for (auth, headers, who) in [
            (&Auth::None, vec![], Some(("admin", true))),
            (&Auth::None, vec![foobar], Some(("foobar", true))),
            (&Auth::None, vec![user], Some(("jd", true))),
            (&Auth::None, vec![user, project], Some(("jd:nova", true))),
            (&Auth::Basic, vec![], None),
            (&Auth::Basic, vec![("Authorization", "")], None),
            (&Auth::Basic, vec![("Authorization", "Bearer Zm9vYmFyOg==")], None),
            (&Auth::Basic, vec![("Authorization", "basic é")], None),
            (&Auth::Basic, vec![user], None),
            (&Auth::Basic, vec![foobar], Some(("foobar", false))),
            (&Auth::Basic, vec![admin], Some(("admin", true))),
            (&proxy, vec![admin, user], None),
            (&proxy, vec![("X-Remote-User", "jd")], Some(("jd", false))),
            (&proxy, vec![("X-Remote-User", "admin")], Some(("admin", true))),
            (&proxy, vec![("X-Remote-User", "admin"), ("X-Remote-User", "jd")], None),
        ] {
            let who = who.map(|(user, admin)| (user.to_owned(), admin));
            assert_eq!(identify(auth, &headers), who, "{auth:?} {headers:?}");
        }
    }
}
