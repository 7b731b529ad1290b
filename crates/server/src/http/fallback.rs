//! Requests that no route takes: 404, or 405 with the methods that would do.

use actix_web::{HttpRequest, HttpResponse, ResponseError, dev::ResourceDef, web::Data};
use utoipa::openapi::{OpenApi, path::PathItem};

use crate::problem::{Code, Problem};

/// All routes, taken from the API's description so that the two never disagree.
#[derive(Debug, Clone)]
pub(crate) struct Table(Vec<(ResourceDef, String)>);

impl Table {
    pub(crate) fn of(api: &OpenApi) -> Self {
        Self(
            api.paths
                .paths
                .iter()
                .map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item)))
                .collect(),
        )
    }

    fn methods(&self, path: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(route, _)| route.is_match(path))
            .map(|(_, methods)| methods.as_str())
    }
}

fn methods(item: &PathItem) -> String {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
        ("OPTIONS", &item.options),
    ]
    .into_iter()
    .filter(|(_, operation)| operation.is_some())
    .map(|(method, _)| method)
    .collect::<Vec<_>>()
    .join(", ")
}

/// Answers what no route took.
pub(crate) async fn no_route(request: HttpRequest, table: Data<Table>) -> HttpResponse {
    let problem = match table.methods(request.path()) {
        Some(methods) => Problem::new(
            Code::MethodNotAllowed,
            format!("{} is not possible here; use {methods}", request.method()),
        )
        .allowing(methods.to_owned()),
        None => Problem::new(Code::NotFound, "there is nothing at this path; see /docs"),
    };
    problem.error_response()
}
