//! Parts of long lists.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use nephoscope_gnocchi::{Direction, Error, Nulls, Page, Sort};
use serde_json::json;

use super::arguments::Arguments;
use super::fault::Fault;
use super::links::Links;

/// The part of a list that a query asks for.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) page: Page,
    /// At most so many.
    limit: usize,
    /// The order as it was asked for.
    sorts: Vec<String>,
    /// One of them goes neither up nor down.
    has_wrong_direction: bool,
    arguments: Arguments,
}

impl Part {
    /// Reads `limit`, which is held to `max_limit`, `marker` and any number of `sort`; in the order of `default`, where
    /// no other is asked for.
    pub(super) fn read(arguments: &Arguments, max_limit: usize, default: &[&str]) -> Result<Self, Fault> {
        let limit = arguments.one("limit")?.map_or(Ok(max_limit), |limit| read_limit(limit, max_limit))?;
        let marker = arguments.one("marker")?.map(str::to_owned);
        let mut sorts: Vec<_> = arguments.all("sort").map(str::to_owned).collect();
        match sorts.as_slice() {
            [] => sorts = default.iter().map(|sort| (*sort).to_owned()).collect(),
            [empty] if empty.is_empty() => sorts.clear(),
            _ => {}
        }
        let (mut sort, mut has_wrong_direction) = (Vec::new(), false);
        for read in sorts.iter().map(|sort| read_sort(sort)) {
            sort.push(read.clone().unwrap_or_else(|wrong| wrong));
            if read.is_err() {
                has_wrong_direction = true;
                break;
            }
        }
        let page = Page { limit: Some(limit), marker, sort };
        Ok(Self { page, limit, sorts, has_wrong_direction, arguments: arguments.clone() })
    }

    /// Refuses a direction that is none. Gnocchi does so when all that comes before it in the order is known to be there: ask
    /// when the page was read without a complaint.
    pub(super) fn check_directions(&self) -> Result<(), Fault> {
        if !self.has_wrong_direction {
            return Ok(());
        }
        let known = "asc-nullsfirst, asc-nullslast, desc-nullsfirst, desc-nullslast";
        Err(Error::InvalidPagination(format!("Unknown sort direction, must be one of: {known}")).into())
    }

    /// The header that tells where the next part is, if this one is full: of so many, the last of which is `marker`.
    pub(super) fn next(
        &self,
        count: usize,
        marker: impl FnOnce() -> Option<String>,
        links: &Links,
    ) -> Option<(HeaderName, HeaderValue)> {
        if count < self.limit {
            return None;
        }
        let marker = marker()?;
        let own = |name: &str| matches!(name, "limit" | "marker" | "sort");
        let others = self.arguments.iter().filter(|(name, _)| !own(name));
        let mut arguments: Vec<_> = others.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        arguments.push(("limit".into(), self.limit.to_string()));
        arguments.push(("marker".into(), marker));
        arguments.extend(self.sorts.iter().map(|sort| ("sort".to_owned(), sort.clone())));
        Some(links.next(arguments))
    }
}

fn read_limit(limit: &str, max_limit: usize) -> Result<usize, Fault> {
    let fault = |problem: &str| {
        let reason = format!("{problem} for dictionary value @ data['limit']");
        Fault::described(
            StatusCode::BAD_REQUEST,
            json!({ "cause": "Argument value error", "reason": reason }),
        )
    };
    let digits = limit.trim().strip_prefix('+').unwrap_or(limit.trim());
    match digits.parse::<i128>() {
        Ok(number) if number < 1 => Err(fault("value must be at least 1")),
        Ok(number) => Ok(usize::try_from(number).unwrap_or(usize::MAX).min(max_limit)),
        // A number beyond all bounds, too, is at most max_limit.
        Err(_) if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => Ok(max_limit),
        Err(_) => Err(fault("expected int")),
    }
}

/// An order; with a direction that is none, as an error, by the same key.
fn read_sort(sort: &str) -> Result<Sort, Sort> {
    let (key, direction) = sort.split_once(':').unwrap_or((sort, ""));
    let key = key.trim().to_owned();
    let (direction, nulls) = match direction {
        "" | "asc" => (Direction::Ascending, None),
        "desc" => (Direction::Descending, None),
        "asc-nullsfirst" => (Direction::Ascending, Some(Nulls::First)),
        "asc-nullslast" => (Direction::Ascending, Some(Nulls::Last)),
        "desc-nullsfirst" => (Direction::Descending, Some(Nulls::First)),
        "desc-nullslast" => (Direction::Descending, Some(Nulls::Last)),
        _ => return Err(Sort { key, direction: Direction::Ascending, nulls: None }),
    };
    Ok(Sort { key, direction, nulls })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Part, Fault> {
        Part::read(&Arguments::read(Some(query)), 7, &["id:asc"])
    }

    #[test]
    fn a_limit_is_held_to_the_maximum() {
        for (query, limit) in [("", 7), ("limit=2", 2), ("limit=8", 7), ("limit=99999999999999999999", 7)] {
            assert_eq!(read(query).unwrap().page.limit, Some(limit), "{query}");
        }
        for query in ["limit=0", "limit=-2", "limit=invalid", "limit=", "limit=1&limit=2"] {
            assert_eq!(read(query).unwrap_err().status(), StatusCode::BAD_REQUEST, "{query}");
        }
    }

    #[test]
    fn an_order_is_read() {
        let sort = |key: &str, direction, nulls| Sort { key: key.into(), direction, nulls };
        let part = read("sort=a&sort=b:desc-nullsfirst&sort=c:asc-nullslast").unwrap();
        let wanted = [
            sort("a", Direction::Ascending, None),
            sort("b", Direction::Descending, Some(Nulls::First)),
            sort("c", Direction::Ascending, Some(Nulls::Last)),
        ];
        assert_eq!(part.page.sort, wanted);
        assert_eq!(read("").unwrap().page.sort, [sort("id", Direction::Ascending, None)]);
        assert_eq!(read("sort=").unwrap().page.sort, []);
        let part = read("sort=a:up&sort=b").unwrap();
        assert_eq!(part.page.sort, [sort("a", Direction::Ascending, None)]);
        assert_eq!(part.check_directions().unwrap_err().status(), StatusCode::BAD_REQUEST);
    }
}
