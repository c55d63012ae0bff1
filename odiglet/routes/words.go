package routes

import "strings"

// assets are the endings of static files. Documents and data (html, json, xml,
// php) are not: their names are routes.
var assets = set(`js mjs css map png jpg jpeg gif svg ico webp avif bmp woff woff2 ttf otf eot
	mp3 mp4 m4a m4s ts webm ogg wav mov wasm pdf zip gz tgz bz2 xz tar jar exe dmg deb rpm apk`)

// usualLocales are those that are written in lower case on the web. to-do, a
// language and a country, is not among them.
var usualLocales = set(`en-us en-gb en-au en-ca en-in en-ie en-nz en-za de-de de-at de-ch fr-fr fr-ca fr-be fr-ch
	es-es es-mx es-ar es-co es-cl it-it pt-br pt-pt nl-nl nl-be pl-pl ru-ru ja-jp ko-kr zh-cn zh-tw zh-hk sv-se da-dk
	nb-no fi-fi tr-tr cs-cz hu-hu ar-sa ar-ae he-il th-th vi-vn id-id uk-ua ro-ro el-gr`)

// numbered are words with more digits than usual.
var numbered = set(`sha256 sha384 sha512 x509 iso8601 iso3166 iso4217 rfc3339 h264 h265 log4j2 i18next b2b2c c2b2c aes256
	base64url win32 x86 3ds2 office365 fido2u2f face2face`)

// small words do not say what a name is.
var small = set("a an and as at by for from in is of on or the to via with my our your all no not")

// vocabulary is what fixed segments of APIs and sites are made of. It decides
// nothing alone: a position whose words are of it is merged much later.
var vocabulary = set(`
	about abuse academy accept access account accounting achievement ack acme action activate activation active activity ad add address admin
	administration advertisement affiliate agent agenda agreement alarm album alert alias allocation allow alternative amenity analysis analytics
	analyze announcement annotation answer apache api app appeal appearance apple application apply appointment approval approve archive area article
	artifact artist aspect asset assign assignee assignment assistant association attach attachment attempt attendance attendee attribute auction audience audio
	audit auth authenticate authentication author authorization authorize authorized automation availability available avatar award
	back backup badge balance ban bank banner basket batch behavior benefit beta bill billing binary binding bio blob block blocked blog board body bonus book
	booking bookmark bot box branch brand breadcrumb broadcast browse browser bucket budget bug build builder building bulk bundle business button buy
	cache calculate calendar call callback campaign cancel candidate capability capacity captcha capture card care career cart case cash cashier
	catalog category certificate chain change changelog channel chapter charge chart chat check checklist checkout child choice city claim class classify
	clear click client clinic clone close cloud cluster code collaborator collection color column command comment commit common community company compare compatibility
	competition complaint complete completion component compose compute concept condition conference config configuration configure confirm confirmation
	conflict connect connection connector consent console consumer contact container contest content context contract contribution contributor control
	controller conversation conversion convert cookie copy core cost count counter country coupon course cover coverage create created creation creator credential
	credit cron csrf currency current custom customer cycle daemon daily dashboard data database dataset date day deactivate deal dealer debit debug decision
	decline decrypt default definition delete deliver delivery demo demographic deny department dependabot dependency deploy deployment deposit description design
	desktop destination detail detect dev developer development device diagnosis diagnostic dialog dictionary diff digest dimension direct directory disable
	discount discover discovery discussion dispatch display dispute distance distribution district doc docs doctor document documentation domain donate donation done down
	download draft drive driver drop duplicate early earning echo edge edit editor education email embed embedding emergency emoji employee employer enable encrypt end
	endpoint engine enroll enrollment enterprise entity entitlement entry environment ephemeral error estimate evaluate evaluation event example exam exchange exclude
	execute execution exercise exit expense experience experiment expire explain explore export expression extension external extract
	facet faq favorite favourite feature featured fee feed feedback fetch field file fill filter final finance financial find fine fingerprint firewall firmware flag flavor
	fleet flight flow folder follow follower following font food force forecast forgot fork form format forum forward forwarding freeze frequency friend
	friendship full function fund fx gallery game gateway generate generation geo geocode get gift gist git global goal goods google grade grant graph graphql grid
	group guest guide handbook handle handler hardware hash head health healthcheck healthz hello help helper heartbeat hidden highlight hint history home hook hospital host
	hotel hour house html hub icon id identifier identify identity ignore image impersonate implementation import impression in inbox incident include income index
	individual industry info information infra ingest ingredient ingress init initialize inject insert insight inspect inspection install installation
	instance instruction instrument insurance integration intent interaction interface internal interview introspect inventory investment invitation invite
	invoice invoiceitem invoke ip issue issuing item job join journal json key keyword kind kyc label language last latest launch layer layout lead leader leaderboard leaf
	league learn lease leave ledger legal lesson level library license licence like limit line link linked list listing live livez load loan local locale location lock log logger
	login logistic logo logout look lookup loop loyalty machine magic mail mailbox maintenance make manage management manager mandate manifest manual map mark
	market marketing marketplace match material matrix me measure measurement media medical member membership memory memo mention menu merchant merge message meta metadata
	meter method metric mfa middleware migrate migration milestone mine minute mirror mobile mode model moderation module money monitor monitoring month move movie music mute
	name namespace navigation nearby network new news newsletter next node nonce note notebook notice notification notify number oauth oauth2 object observation offer office offline
	offset onboarding online open openapi operation operator opportunity option order org organization origin otp outage outbox outlet output overdue overview owner
	package page paid panel parameter parent park part participant partition partner party pass passkey password past patch path patient pause pay payable payload payment
	payout payroll peer penalty pending people performance period permission persist person persistent pet pharmacy phase phone photo picture pickup pin ping pipeline pipe place plan platform play
	player playlist plugin pod point poll policy pong pool popular port portal portfolio position post power predict prediction preference prescription presence preview
	previous price pricing print priority privacy private probe problem process processor producer product production professional profile program progress project promo
	promotion prompt property proposal provider provision proxy public publication publish publisher pull purchase purge push qr qualification quality quantity query question queue quick quiz
	quota quote random range rank ranking rate rating raw reaction read reader ready readyz realtime reason reboot rebuild receipt receivable receive recent recipe recipient recommend
	recommendation record recording recover recovery recurring redeem redirect reference referral refresh refund refuse region register registration registry reject
	related relation relationship relay release reload remind reminder remote remove rename render renew rent rental repair replace replay replica reply repo report
	repository request requirement research resend reservation reserve reset resolve resource respond response restart restaurant restore restriction result resume retry return
	revenue reverse review reviewer revision revoke reward right risk robot role roll rollback rollout room root rotate round route router row rss rule ruleset run runner
	runtime salary sale sample sandbox save saved scale scan scenario schedule scheduler schema school scope score screen script search season seat second secret section
	secure security segment select self sell seller send sender sensor sentiment server service session set setting setup shard share shared shift ship shipment shipping shop shopping
	show side sign signal signature signin signout signup silence similar simulate site sitemap size sku skill skip slack sla slot snapshot snippet snooze social socket software solution
	song sort source space speaker spec specification speech spend split sponsor sport spot sprint sql sso stack staff stage standard star start stat state statement static station statistic
	stats status step stock stop storage store story stream street stripe student studio style subject submission submit subscribe subscriber subscription
	suggest suggestion summary summarize supplier supply support survey suspend swagger switch symbol sync syntax system tab table tag take talent target task tax taxonomy team
	technology telemetry template tenant term terminal test testimonial text theme thread threshold thumbnail ticket tier time timeline timer timesheet timezone tip title
	today todo token tool top topic topup total touch tour trace track tracker tracking trade traffic train training transaction transcript transfer transform translate
	translation transport travel trash tree trend trending trial trigger trip trust try tutorial two type ui unarchive unassign unblock undo unfollow unit unlock unread unsubscribe up
	update upgrade upload usage use user username utility vacancy vacation validate validation value variable variant vat vehicle vendor verification verify version video view viewer virtual
	visibility visit visitor voice void volume vote voucher wait waitlist wallet warehouse warning watch watcher weather web webauthn webhook website webview week weekly weight welcome widget wiki
	window wishlist withdraw withdrawal work worker workflow workload workspace world write writer year zone zip
	batch apps autoscaling networking rbac node storage pods nodes replicasets daemonsets statefulsets deployments cronjobs configmaps serviceaccounts endpoints
	ingresses persistentvolumes persistentvolumeclaims limitranges resourcequotas replicationcontrollers podtemplates bindings componentstatuses
	actuator env beans loggers mappings metrics prometheus threaddump heapdump shutdown owners vets visits
	codespaces emojis gitignore octocat zen stargazers subscribers assignees collaborators commits compare contents forks hooks keys languages merges
	readme refs blobs trees tags actions pages pulls milestones traffic clones referrers popular starred blocks migrations meta feeds gists licenses orgs`)

// fileOrWord judges static files: some are routes of their own.
func fileOrWord(name string) kind {
	switch name {
	case "favicon.ico", "service-worker.js", "sw.js":
		return word
	}
	return file
}

func set(words string) map[string]bool {
	all := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		all[w] = true
	}
	return all
}

// isNumbered says whether a word with digits is a known one, or is made of one.
func isNumbered(s string) bool {
	if numbered[s] || numbered[strings.ToLower(s)] {
		return true
	}
	for _, short := range []string{"i18n", "l10n", "a11y", "o11y", "k8s", "base64"} { // jsi18n, base64Encoder
		if strings.Contains(s, short) && len(s) < 20 {
			return true
		}
	}
	return false
}

// isCommon says whether a name is made of the vocabulary: payment_intents,
// listUsers, orders.json, v2.
func isCommon(text string) bool {
	if isVersion(text) {
		return true
	}
	found, from := false, 0
	for i := 1; i <= len(text); i++ {
		if i < len(text) && !startsPart(text, i) {
			continue
		}
		part := strings.TrimLeft(text[from:i], "-_.~$:")
		from = i
		if part == "" || small[part] {
			continue
		}
		if !isCommonPart(part) {
			return false
		}
		found = true
	}
	return found
}

// startsPart says whether a part of a name begins at i.
func startsPart(text string, i int) bool {
	now, before := classes[text[i]], classes[text[i-1]]
	return now == separator || now == other || now == upper && before != upper || now == digit && before != digit
}

func isCommonPart(part string) bool {
	if len(part) > 24 {
		return false
	}
	if isDigits(part) {
		return len(part) < longNumber
	}
	var room [24]byte
	for i := range len(part) {
		room[i] = part[i]
		if classes[part[i]] == upper {
			room[i] |= 0x20
		}
	}
	w := room[:len(part)]
	return vocabulary[string(w)] || isPlural(w)
}

// isPlural takes users, categories and addresses; it may change the letters.
func isPlural(w []byte) bool {
	n := len(w)
	switch {
	case n > 4 && string(w[n-3:]) == "ies":
		w[n-3] = 'y'
		return vocabulary[string(w[:n-2])]
	case n > 4 && string(w[n-2:]) == "es" && vocabulary[string(w[:n-2])]:
		return true
	}
	return n > 3 && w[n-1] == 's' && vocabulary[string(w[:n-1])]
}
