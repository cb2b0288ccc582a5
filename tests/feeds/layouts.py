"""One invented article in the layouts that publishing systems give their pages: fifteen ways to say the same."""

TITLE = "Ferry operators ask the port for a rate that lasts"
DEK = "Four lines want the quay price fixed for two years, and offer longer contracts in return"
PARAGRAPHS = (
    "The four ferry lines that call at Northhaven asked the port on Tuesday to fix the quay price until the end of 2028.",
    "In a letter of three pages, seen by the Harbour Gazette, they offer to sign contracts of five years if the price stays where it is.",
    "The port has raised the price twice since the spring, and each time a line moved one of its sailings to the river terminal.",
    "A spokesman for the port said that the letter will be answered within the month, after the board has met in Oslo.",
)
AUTHOR = "Ines Dahl"
ALT = "A ferry at the northern quay"
CREDIT = "Per Lund/Quaypix"
TAGS = ("Ferries", "Port fees")
FURNITURE = (
    "Forty thousand readers begin their day with us", "Second story about a lighthouse keeper", "Harbour Summit will gather",
    "We use cookies to measure", "All rights reserved by the paper", "An advertiser paid for this space", "Most people read the tide tables",
)  # fmt: skip
SIGN_UP, OTHER, EVENT, COOKIES, RIGHTS, ADVERT, POPULAR = FURNITURE

_P = "".join(f"<p>{each}</p>" for each in PARAGRAPHS)
_HEAD = f"<title>{TITLE} | Northhaven Post</title>"
_OG = (
    f'<meta property="og:title" content="{TITLE}"><meta property="og:image" content="/media/ferry-1200x630.jpg">'
    f'<meta property="article:published_time" content="2026-03-10T09:00:00+01:00"><meta name="author" content="By {AUTHOR}">'
    + "".join(f'<meta property="article:tag" content="{tag}">' for tag in TAGS)
)
_LD = (
    '{"@context":"https://schema.org","@graph":[{"@type":"Organization","name":"Northhaven Post"},{"@type":["NewsArticle"],'
    f'"headline":"{TITLE}","description":"{DEK}","datePublished":"2026-03-10T08:00:00Z","author":[{{"@type":"Person","name":"{AUTHOR}"}}],'
    f'"keywords":["{TAGS[0]}","{TAGS[1]}","Type:story"],"image":{{"@type":"ImageObject","url":"https://post.example/media/ferry.jpg",'
    f'"caption":"{ALT}","creditText":"{CREDIT}","width":1200}}}}]}}'
)

LAYOUTS = {
    "wordpress classic": f"""<html><head>{_HEAD}{_OG}</head><body class="single-post"><div id="page"><div id="header"><ul class="menu"><li><a href="/">Home</a></li></ul></div>
<div id="content"><div class="post-1 post hentry"><h1 class="entry-title">{TITLE}</h1><div class="entry-content"><h2 class="subtitle">{DEK}</h2>
<div id="attachment_3" class="wp-caption"><img class="wp-image-3" src="/media/ferry-1024x576.jpg" alt="{ALT}"><p class="wp-caption-text">Photo: {CREDIT}</p></div>{_P}
<div class="sharedaddy sd-sharing">Share this</div></div><div class="related-posts"><h3>Related</h3><p>{OTHER}</p></div></div>
<div id="comments" class="comments-area"><p>{POPULAR}</p></div></div><div id="sidebar" class="widget-area sidebar"><p>{ADVERT}</p></div><div id="footer"><footer>{RIGHTS}</footer></div></div></body></html>""",
    "wordpress blocks": f"""<html><head>{_HEAD}{_OG}</head><body><header class="wp-block-template-part"><nav class="wp-block-navigation">News</nav></header>
<main class="wp-block-group"><h1 class="wp-block-post-title">{TITLE}</h1><p class="post-subtitle dek">{DEK}</p>
<figure class="wp-block-image size-large"><img src="https://post.example/media/ferry.jpg?resize=800" alt="{ALT}"/><figcaption>{CREDIT}</figcaption></figure>
<div class="wp-block-post-content">{_P}</div><div class="wp-block-jetpack-subscriptions newsletter"><p>{SIGN_UP}</p></div>
<aside><p>{OTHER}</p></aside></main><footer><p>{RIGHTS}</p></footer></body></html>""",
    "ghost": f"""<html><head>{_HEAD}<script type="application/ld+json">{_LD}</script></head><body><div class="site"><header class="gh-head"><a href="/">Northhaven Post</a></header>
<main class="gh-main"><article class="gh-article post"><header class="gh-article-header"><h1 class="gh-article-title">{TITLE}</h1><p class="gh-article-excerpt standfirst">{DEK}</p>
<figure class="gh-article-image"><img src="/content/images/size/w2000/media/ferry.jpg" alt="{ALT}"></figure></header><section class="gh-content">{_P}</section></article>
<section class="gh-comments comments"><p>{POPULAR}</p></section><div class="gh-readmore related"><h2>Read more</h2><p>{OTHER}</p></div></main></div><footer><p>{RIGHTS}</p></footer></body></html>""",
    "letter platform": f"""<html><head>{_HEAD}{_OG}</head><body><div class="main"><div class="single-post-container"><div class="single-post"><div class="post typography">
<div class="post-header"><h1 class="post-title">{TITLE}</h1><h3 class="subtitle">{DEK}</h3><div class="byline">{AUTHOR}</div></div>
<div class="available-content"><div class="body markup"><div class="captioned-image-container"><figure><img src="https://cdn.example/fetch/?url=https%3A%2F%2Fpost.example%2Fmedia%2Fferry.jpg&w=1456" alt="{ALT}"><figcaption class="image-caption">Picture: {CREDIT}</figcaption></figure></div>{_P}
<div class="subscription-widget-wrap subscribe"><form><p>{SIGN_UP}</p></form></div></div></div></div></div></div></div><div class="recommended"><p>{OTHER}</p></div></body></html>""",
    "utility classes only": f"""<html><head>{_HEAD}{_OG}</head><body><div id="__next"><div class="flex justify-between px-4"><a href="/">Northhaven Post</a></div>
<div class="mx-auto max-w-2xl"><div class="grid"><h1 class="text-4xl font-bold">{TITLE}</h1><div class="mt-2 text-lg">{DEK}</div>
<div class="relative"><span><img alt="article-image" src="/_next/image?url=%2Fmedia%2Fferry.jpg&w=1080&q=75"></span></div><p class="text-xs text-gray-500">{CREDIT} modified by Northhaven Post</p>
<div class="mt-6"><section class="space-y-4">{_P}</section></div></div></div>
<hr/><div class="bg-gray-50"><p>Get the news in your inbox. Explore Northhaven newsletters:</p><p>{SIGN_UP}</p></div>
<h3>Upcoming Events</h3><div class="card-x"><p>{EVENT}</p></div></div></body></html>""",
    "newspaper with json-ld": f"""<html><head>{_HEAD}<script type='application/ld+json'>[{_LD}]</script></head><body><div class="cookie-banner"><p>{COOKIES}</p></div>
<div class="layout"><article class="article article--news"><header><h1>{TITLE}</h1><p class="article__standfirst standfirst">{DEK}</p><div class="article__byline">By <a rel="author" href="/a">{AUTHOR}</a></div></header>
<figure class="article__image"><picture><source srcset="/media/ferry.webp"><img src="/media/ferry.jpg" alt=""></picture><figcaption><span class="caption">{ALT}.</span> <span class="credit">{CREDIT}</span></figcaption></figure>
<div class="article__body"><p>{PARAGRAPHS[0]}</p><div class="ad advert"><p>{ADVERT}</p></div><p>{PARAGRAPHS[1]}</p><aside class="pullquote"><p>{POPULAR}</p></aside><p>{PARAGRAPHS[2]}</p><p>{PARAGRAPHS[3]}</p></div></article>
<div class="recirculation"><p>{OTHER}</p></div></div></body></html>""",
    "microdata": f"""<html><head>{_HEAD}</head><body><div itemscope itemtype="https://schema.org/NewsArticle"><h1 itemprop="headline">{TITLE}</h1><p itemprop="alternativeHeadline">{DEK}</p>
<span itemprop="author" class="author">{AUTHOR}</span><time itemprop="datePublished" datetime="2026-03-10T09:00:00+01:00">10 March</time>
<figure><img itemprop="image" src="/media/ferry.jpg" alt="{ALT}"><figcaption>{ALT}. Photo: {CREDIT}</figcaption></figure>
<div itemprop="articleBody">{_P}</div><p class="tags-x"><a rel="tag" href="/t/1">{TAGS[0]}</a> <a rel="tag" href="/t/2">{TAGS[1]}</a></p></div>
<div class="trending"><p>{POPULAR}</p><p><a rel="tag" href="/t/3">Weather</a></p></div></body></html>""",
    "tables of the nineties": f"""<html><head>{_HEAD}{_OG}</head><body bgcolor="#ffffff"><table width="760"><tr><td width="150"><a href="/">Home</a><br><a href="/w">Weather</a></td>
<td><h1>{TITLE}</h1><p class="subhead">{DEK}</p><img src="/media/ferry.jpg" alt="{ALT}" width="300" height="200"><p>Photo by {CREDIT}</p>{_P}</td></tr></table><hr><footer>{RIGHTS}</footer></body></html>""",
    "accelerated mobile": f"""<html amp><head>{_HEAD}<script type="application/ld+json">{_LD}</script></head><body><amp-sidebar id="sidebar"><p>{ADVERT}</p></amp-sidebar>
<article class="amp-article"><h1>{TITLE}</h1><h2 class="sub-title">{DEK}</h2><amp-img src="/media/ferry.jpg" width="800" height="450"></amp-img>
<div class="article-body">{_P}</div></article><div class="social"><p>{SIGN_UP}</p></div></body></html>""",
    "drupal": f"""<html><head>{_HEAD}{_OG}</head><body class="path-node"><div class="dialog-off-canvas-main-canvas"><div class="region region-breadcrumb breadcrumb"><p>Home / News</p></div>
<main role="main"><div class="region region-content"><h1><span class="field field--name-title">{TITLE}</span></h1><div class="field field--name-field-subtitle subtitle">{DEK}</div>
<div class="field field--name-field-image"><img src="/sites/default/files/styles/large/public/media/ferry.jpg" alt="{ALT}"><div class="image-credit">{CREDIT}</div></div>
<div class="field field--name-body text-formatted">{_P}</div></div></main><div class="region-sidebar sidebar"><h2>Most read</h2><p>{POPULAR}</p></div></div></body></html>""",
    "blogger": f"""<html><head>{_HEAD}{_OG}</head><body><div class="blog-posts"><div class="post-outer"><div class="post hentry"><h1 class="post-title entry-title">{TITLE}</h1><h3 class="sub-headline">{DEK}</h3>
<div class="post-body entry-content"><div class="separator"><a href="/media/ferry.jpg"><img src="/media/s320/ferry.jpg" alt="{ALT}"></a></div><div>Image: {CREDIT}</div>{_P}</div>
<div class="post-footer"><span class="post-labels"><a rel="tag" href="/l/1">x</a></span></div></div></div></div><div class="sidebar section"><p>{OTHER}</p></div></body></html>""",
    "business wire": f"""<html><head>{_HEAD}{_OG}</head><body><section id="site"><header><nav>Markets</nav></header><div class="container"><div class="row"><div class="col-8">
<h1>{TITLE}</h1><div class="deck">{DEK}</div><div class="media"><img src="/media/ferry@2x.jpg" alt="{ALT}" data-credit="{CREDIT}"></div><div class="rtext">{_P}</div><div class="disclaimer paywall"><p>{SIGN_UP}</p></div></div>
<div class="col-4"><div class="popular"><h4>Most read</h4><p>{POPULAR}</p></div></div></div></div></section></body></html>""",
    "static site": f"""<!doctype html><html lang="en">{_HEAD}{_OG}<body><header><a href="/">post</a></header><main><h1>{TITLE}</h1><p class="standfirst">{DEK}</p>
<figure><img src="/media/ferry.jpg" alt="{ALT}"><figcaption><cite>{CREDIT}</cite></figcaption></figure>{_P}<h2>Related articles</h2><ul><li>{OTHER}</li></ul></main><footer>{RIGHTS}</footer></body></html>""",
    "sections without an article": f"""<html><head>{_HEAD}{_OG}</head><body><div class="hero"><h1>{TITLE}</h1><p class="hero__deck deck">{DEK}</p></div>
<section><figure><img data-src="/media/ferry.jpg" src="data:image/gif;base64,R0lGOD" alt="{ALT}"><figcaption>{CREDIT}</figcaption></figure>{_P}</section>
<section class="upcoming-events"><h2>Upcoming events</h2><p>{EVENT}</p></section><section class="research"><p>{OTHER}</p></section></body></html>""",
    "many other headlines": f"""<html><head>{_HEAD}{_OG}</head><body><div class="wrap"><div class="story"><h1>{TITLE}</h1><p class="summary sub-heading">{DEK}</p><div class="lead-media"><img src="/media/ferry_1200x800.jpg" alt="{ALT}"><span class="media-credit">{CREDIT}</span></div>{_P}</div>
<h2>More from Northhaven</h2><div class="g"><h3>{OTHER}</h3><p>{OTHER}, told at length on another page of this paper.</p><img src="/o.jpg" alt="article-image"><p>by Northhaven Post /</p></div>
<div class="g"><h3>{POPULAR}</h3><p>{POPULAR}, told at length on another page of this paper.</p></div></div></body></html>""",
}
"""Page by the system whose habits it has; each lies at ``https://post.example/news/ferries``."""
