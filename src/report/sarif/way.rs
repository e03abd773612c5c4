//! The ways that a deciding value came: links in the message to related locations, and code flows, which GitHub shows as
//! paths and editors as steps.

use super::super::place::{Place, Places};
use super::super::scrub;
use super::model as m;
use super::{MAX_LOCATIONS, physical};
use crate::finding::Via;
use crate::source::Site;

/// Ways told of one result: instances differ in little, and nobody reads more.
const MAX_FLOWS: usize = 10;

/// The places that a message links to.
#[derive(Default)]
pub(super) struct Linked<'a> {
    sites: Vec<Site>,
    pub(super) locations: Vec<m::Location<'a>>,
}

impl<'a> Linked<'a> {
    /// A link to the place, which says `told`. What is in no file has none, and neither has what is too much.
    pub(super) fn link(&mut self, site: Site, told: &'a str, places: &Places<'_>) -> Option<String> {
        let link = |id: usize| format!("[{}]({id})", plain(told));
        if let Some(known) = self.sites.iter().position(|known| *known == site) {
            return Some(link(known + 1));
        }
        let place = file(site, places)?;
        if self.sites.len() >= MAX_LOCATIONS {
            return None;
        }
        self.sites.push(site);
        let id = self.sites.len();
        let link = link(id);
        self.locations.push(location(Some(id), scrub(told), place));
        Some(link)
    }

    /// The way in words, with links: what a message says of it.
    pub(super) fn way(&mut self, way: &'a [Via], places: &Places<'_>) -> String {
        let step = |via: &'a Via| self.link(via.site, &via.what, places).unwrap_or_else(|| plain(&via.what));
        way.iter().map(step).collect::<Vec<_>>().join(", ")
    }
}

/// A code flow for each way: from where the value is written to `end`, where it decides.
pub(super) fn code_flows<'a>(
    ways: impl Iterator<Item = &'a [Via]>,
    end: Option<Place<'_>>,
    places: &Places<'_>,
) -> Vec<m::CodeFlow<'a>> {
    let Some(end) = end else { return Vec::new() };
    let flow = |way: &'a [Via]| {
        let steps = way.iter().rev().filter_map(|via| Some((file(via.site, places)?, scrub(&via.what))));
        let steps: Vec<_> = steps.chain([(end, "it decides here".into())]).collect();
        let step = |(place, text)| m::ThreadFlowLocation { location: location(None, text, place) };
        // One place alone is no way.
        (steps.len() > 1).then(|| m::CodeFlow {
            thread_flows: [m::ThreadFlow { locations: steps.into_iter().map(step).collect() }],
        })
    };
    ways.filter_map(flow).take(MAX_FLOWS).collect()
}

/// Text that is no link, and does not end one.
fn plain(text: &str) -> String {
    scrub(text).replace(['[', ']', '\\'], " ")
}

/// The place, if it is in a file.
fn file<'p>(site: Site, places: &Places<'p>) -> Option<Place<'p>> {
    places.get(site).filter(|place| !place.file.is_given())
}

fn location<'a>(id: Option<usize>, text: std::borrow::Cow<'a, str>, place: Place<'_>) -> m::Location<'a> {
    m::Location {
        id,
        message: Some(m::Text { text }),
        physical_location: physical(place),
        logical_locations: Vec::new(),
    }
}
