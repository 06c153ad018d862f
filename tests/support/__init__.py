"""Shared by the tests: no test is defined here.

paths              the checkout, the test data, and the captured pages outside the project
values             articles, finds, pages and results with default values
topics             topics derived from the demo's topic
archives           small archives, killed runs, and the whole content of an archive
analyst_archive    an archive with copies, edits, deletions and a gap
command            runs the command `seogo`, in this process or in its own
replica            requests to the replica, and the ground truth of its pages
http_server        a server of raw bytes, a manual clock, and a client
small_naver        a small Naver of handwritten responses, and a sequence of crawls of it
naver_pages        pages in Naver's layouts
worlds             an archive over several days on schedule, with the invariant that nothing is lost
crawls             whole crawls without any fault, in various orders
drift              pages by layout, and a learned baseline
mutations          mutations of article pages
feed_histories     random histories of an archive, and consumers of its change feed
prefect            a Prefect server and worker
browser            a headless browser
reports            hostile text, and changes to a snapshot
secrets            a Search API that echoes keys, and a search through all files of an archive
tls                a self-signed certificate
disks              small mounted disks
"""
